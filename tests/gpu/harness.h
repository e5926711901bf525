// What the parts of gpu_kernels share: device memory, checked calls, the report.
#ifndef ONNX_ACTS_TESTS_HARNESS_H_
#define ONNX_ACTS_TESTS_HARNESS_H_

#include <cuda_runtime.h>
#ifdef ONNX_ACTS_REHEARSAL
#include <controls.h>
#endif

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "cuda/device.h"
#include "cuda/device_loops.h"

namespace onnx_acts::gpu {

inline void Require(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", call, cudaGetErrorName(error));
  std::exit(2);
}
#define CUDA(call) ::onnx_acts::gpu::Require(call, #call)

// Device memory; `bytes` beyond what is used stay poisoned by the caller.
class Memory {
 public:
  explicit Memory(std::size_t bytes) { CUDA(cudaMalloc(&data_, bytes == 0 ? 1 : bytes)); }
  ~Memory() { cudaFree(data_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  char* data() const { return static_cast<char*>(data_); }

 private:
  void* data_ = nullptr;
};

// A member of a JSON object.
struct Field {
  Field(const char* name, const std::string& value)
      : text('"' + std::string(name) + "\": \"" + value + '"') {}
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Field(const char* name, Number value) : text('"' + std::string(name) + "\": ") {
    char digits[64];
    if constexpr (std::is_integral_v<Number>) {
      std::snprintf(digits, sizeof digits, "%lld", static_cast<long long>(value));
    } else {
      std::snprintf(digits, sizeof digits, "%.17g", static_cast<double>(value));
      // As Python's reader has them.
      if (std::isnan(value)) std::strcpy(digits, "NaN");
      if (std::isinf(value)) std::strcpy(digits, value < 0 ? "-Infinity" : "Infinity");
    }
    text += digits;
  }
  std::string text;
};

// The report: one JSON object for each finding, and whether all is well.
class Report {
 public:
  void Add(std::initializer_list<Field> fields, bool ok = true) {
    std::string text;
    for (const Field& field : fields) text += field.text + ", ";
    rows_.push_back("{" + text + "\"ok\": " + (ok ? "true}" : "false}"));
    std::printf("%s %s\n", ok ? "ok  " : "FAIL", text.c_str());
    std::fflush(stdout);
    ok_ = ok_ && ok;
  }
  bool ok() const { return ok_; }
  std::string Text() const {
    std::string text;
    for (const std::string& row : rows_) text += (text.empty() ? "" : ",\n  ") + row;
    return "[\n  " + text + "\n]";
  }

 private:
  std::vector<std::string> rows_;
  bool ok_ = true;
};

// Starts a kernel with a thread for each of `count` elements.
template <class... Parameters, class... Arguments>
void Launch(void (*kernel)(Parameters...), uint32_t count, Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3((count + 255) / 256);
  config.blockDim = dim3(256);
  CUDA(cudaLaunchKernelEx(&config, kernel, arguments...));
}

inline const char* NameOf(Element element) { return SpecOf(element).name; }

// How much is tried. A rehearsal, on the host, is to find out whether all of this works.
struct Amount {
  uint32_t table_copies;  // tensors of so many times all 16-bit values
  uint32_t sweep;         // floats in one step of a sweep,
  uint32_t sweep_skip;    // of which each sweep_skip-th is made
  uint32_t doubles;       // of a sample
  std::size_t bytes;      // of a large tensor
  int turns;              // for a median
};
#ifndef ONNX_ACTS_REHEARSAL
constexpr Amount kAmount = {200, 1u << 26, 1, 1u << 22, std::size_t{1} << 28, 25};
#else
constexpr Amount kAmount = {3, 1u << 10, 1u << 11, 1u << 12, std::size_t{1} << 19, 3};
#endif

// The parts; each adds its findings.
void CheckAgainstCpu(const device::Device& device, Report& report);
void SweepElu(const device::Device& device, Report& report);
void MeasureTimes(const device::Device& device, Report& report);

}  // namespace onnx_acts::gpu

#endif  // ONNX_ACTS_TESTS_HARNESS_H_
