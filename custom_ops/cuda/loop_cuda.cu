// The device of device.h, with CUDA: kernels over the threads of device_loops.h.
//
// cuda_architectures.inc, which CMake writes, lists the compute capabilities (times ten) that there
// is machine code for; the last is there as PTX too, which newer devices compile when they load it.

#include <cuda_runtime.h>

#include "cuda/device_dispatch.h"

namespace onnx_acts {
namespace {

template <class Thread>
__global__ void __launch_bounds__(kBlockThreads)
    Loop(const __grid_constant__ typename Thread::Args args) {
  Thread::Run(args, {blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x});
}

// "cudaErrorNoDevice (no CUDA-capable device is detected)"
std::string ErrorText(cudaError_t error) {
  std::string text = cudaGetErrorName(error);
  text += " (" + std::string(cudaGetErrorString(error)) + ")";
  if (error == cudaErrorInitializationError) {
    text += "; CUDA does not work in a forked process: start it with 'spawn'";
  }
  return text;
}

// Throws unless the call succeeded; the error does not stay behind for the next call. (No string is
// made where it did: a kernel call allocates nothing.)
void Check(cudaError_t error, const char* what, std::size_t bytes = 0) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  std::string text = what;
  if (bytes != 0) text += " " + std::to_string(bytes) + " bytes";
  throw std::runtime_error("CUDA: " + text + ": " + ErrorText(error));
}

int Attribute(cudaDeviceAttr attribute, int device) {
  int value = 0;
  Check(cudaDeviceGetAttribute(&value, attribute, device), "cannot describe the device");
  return value;
}

constexpr int kArchitectures[] = {
#include "cuda_architectures.inc"
};

// "9.0"
std::string CapabilityText(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

// Machine code runs on devices of the same major number and the same or a higher minor one.
bool HasCode(int capability) {
  for (const int item : kArchitectures) {
    if (item / 10 == capability / 10 && item <= capability) return true;
  }
  constexpr int kCount = sizeof kArchitectures / sizeof kArchitectures[0];
  return capability >= kArchitectures[kCount - 1];
}

// Empty if there is code for the device.
std::string WhyNot(int device) {
  const int capability = 10 * Attribute(cudaDevAttrComputeCapabilityMajor, device) +
                         Attribute(cudaDevAttrComputeCapabilityMinor, device);
  if (HasCode(capability)) return "";
  std::string compiled;
  for (const std::string& item : device::Architectures()) {
    compiled += (compiled.empty() ? "" : ", ") + item;
  }
  return "no kernel for device " + std::to_string(device) + ", whose compute capability is " +
         CapabilityText(capability) + " (this library has code for " + compiled +
         "); build onnx-acts from source with -DONNX_ACTS_CUDA_ARCHITECTURES for it";
}

device::Support FindDevice() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return {false, ErrorText(error)};
  }
  std::string reason = "there is no CUDA device";
  for (int number = 0; number < count; ++number) {
    reason = WhyNot(number);
    if (reason.empty()) return {true, ""};
  }
  return {false, reason};
}

// Makes a device the calling thread's for a scope. ONNX Runtime has done so before it calls; this
// is for callers that have not, and costs nothing then.
class DeviceScope {
 public:
  explicit DeviceScope(int wanted) : wanted_(wanted) {
    Check(cudaGetDevice(&before_), "cannot tell the device");
    if (before_ != wanted_) Check(cudaSetDevice(wanted_), "cannot use the device");
  }
  ~DeviceScope() {
    if (before_ != wanted_) cudaSetDevice(before_);
  }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int wanted_, before_ = 0;
};

template <class Args>
void Start(void (*kernel)(Args), const Args& args, uint32_t blocks, const device::Stream& stream) {
  const DeviceScope scope(stream.device.number);
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(kBlockThreads);
  config.stream = static_cast<cudaStream_t>(stream.handle);
  Check(cudaLaunchKernelEx(&config, kernel, args), "cannot start a kernel");
}

struct CudaRunner {
  template <class Thread>
  static void Run(const typename Thread::Args& args, const device::Stream& stream) {
    const uint32_t packs = PacksOf(args.count, kPack<typename Thread::Element>);
    const uint32_t most = stream.device.processors * kBlocksPerProcessor;
    Start(Loop<Thread>, args, BlocksFor(packs, kBlockThreads, most), stream);
  }
};

}  // namespace

namespace device {

const Support& Find() {
  static const Support support = FindDevice();
  return support;
}

std::vector<std::string> Architectures() {
  std::vector<std::string> texts;
  for (const int item : kArchitectures) texts.push_back(CapabilityText(item));
  return texts;
}

Device Current() {
  int number = 0;
  Check(cudaGetDevice(&number), "cannot tell the device");
  const std::string reason = WhyNot(number);
  if (!reason.empty()) throw std::runtime_error("CUDA: " + reason);
  return {number, static_cast<uint32_t>(Attribute(cudaDevAttrMultiProcessorCount, number))};
}

void* MakeCopy(const void* data, std::size_t bytes) {
  void* memory = nullptr;
  Check(cudaMalloc(&memory, bytes), "cannot allocate", bytes);
  cudaError_t error = cudaMemcpy(memory, data, bytes, cudaMemcpyHostToDevice);
  // The copy of so few bytes may return before it has arrived, and no stream of the runtime waits.
  if (error == cudaSuccess) error = cudaStreamSynchronize(nullptr);
  if (error != cudaSuccess) cudaFree(memory);
  Check(error, "cannot copy to the device", bytes);
  return memory;
}

// Errors are dropped: the process may be ending, and CUDA with it.
void Free(const Device&, void* memory) noexcept {
  cudaFree(memory);
  cudaGetLastError();
}

void RunUniform(Functor functor, Element element, const UniformArgs& args, const Stream& stream) {
  Dispatch<CudaRunner>::Uniform(functor, element, args, stream);
}

void RunSlopes(SlopeKind kind, Element element, const SlopeArgs& args, const Stream& stream) {
  Dispatch<CudaRunner>::Slopes(kind, element, args, stream);
}

void RunDraw(Element element, const DrawArgs& args, const Stream& stream) {
  Dispatch<CudaRunner>::Draw(element, args, stream);
}

void RunLookup(const LookupArgs& args, const Stream& stream) {
  CudaRunner::Run<LookupThread>(args, stream);
}

}  // namespace device
}  // namespace onnx_acts
