// What the parts of gpu_kernels share: device memory, checked calls, the
// report.
#ifndef ONNX_ACTS_TESTS_HARNESS_H_
#define ONNX_ACTS_TESTS_HARNESS_H_

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "device.h"
#include "device_loops.h"

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

// The report: one JSON object for each finding, and whether all is well.
class Report {
 public:
  // `fields` is the inside of a JSON object.
  void Add(const std::string& fields, bool ok = true) {
    rows_.push_back("{" + fields + ", \"ok\": " + (ok ? "true" : "false") + "}");
    std::printf("%s %s\n", ok ? "ok  " : "FAIL", fields.c_str());
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

template <class... Values>
std::string Format(const char* format, Values... values) {
  char text[512];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// The parts; each adds its findings.
void CheckAgainstCpu(const device::Device& device, Report& report);
void SweepElu(const device::Device& device, Report& report);
void MeasureTimes(const device::Device& device, Report& report);

}  // namespace onnx_acts::gpu

#endif  // ONNX_ACTS_TESTS_HARNESS_H_
