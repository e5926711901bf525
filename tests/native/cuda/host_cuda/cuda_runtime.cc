// CUDA's runtime on the host, as far as the library calls it.

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "calls.h"
#include "fakes/inside.h"

namespace host_cuda {
namespace {

// What all threads share.
struct Process {
  std::mutex lock;
  std::map<const char*, std::size_t> memory;  // device memory
};
Process& Shared() {
  static auto* const process = new Process;  // never destroyed: memory is freed at the very end
  return *process;
}

void RunGrid(const Work& thread, dim3 grid, dim3 block) {
  gridDim = grid;
  blockDim = block;
  for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) {
    for (threadIdx.x = 0; threadIdx.x < block.x; ++threadIdx.x) thread();
  }
}

int AttributeOf(const Device& device, cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      return device.processors;
    case cudaDevAttrComputeCapabilityMajor:
      return device.capability / 10;
    case cudaDevAttrComputeCapabilityMinor:
      return device.capability % 10;
  }
  return 0;
}

}  // namespace

Thread& Self() {
  thread_local Thread self;
  return self;
}

State& Current() { return Self().state; }

cudaError_t Enter() {
  State& state = Self().state;
  if (++state.calls == state.failing) return state.error;
  if (!state.initialised) return cudaErrorInitializationError;
  return state.devices.empty() ? cudaErrorNoDevice : cudaSuccess;
}

bool IsDeviceMemory(const void* pointer, std::size_t bytes) {
  Process& process = Shared();
  const std::lock_guard<std::mutex> guard(process.lock);
  const char* const at = static_cast<const char*>(pointer);
  auto found = process.memory.upper_bound(at);
  if (found == process.memory.begin()) return false;
  --found;
  return at + bytes <= found->first + found->second;
}

bool AreWhereSaid(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return (kind == cudaMemcpyDeviceToHost || IsDeviceMemory(to, bytes)) &&
         (kind == cudaMemcpyHostToDevice || IsDeviceMemory(from, bytes));
}

bool IsDevice(int number) {
  return number >= 0 && static_cast<std::size_t>(number) < Self().state.devices.size();
}

cudaError_t Submit(cudaStream_t stream, const Work& work) {
  if (stream == nullptr && Self().captures > 0) return cudaErrorStreamCaptureImplicit;
  if (stream != nullptr && stream->graph != nullptr) {
    stream->graph->works.push_back(work);
  } else {
    work();
  }
  return cudaSuccess;
}

std::size_t Allocations() {
  Process& process = Shared();
  const std::lock_guard<std::mutex> guard(process.lock);
  return process.memory.size();
}

cudaError_t Launch(const Work& thread, const cudaLaunchConfig_t& config) {
  return Call([&] {
    const dim3 grid = config.gridDim, block = config.blockDim;
    if (grid.x == 0 || block.x == 0 || block.x > 1024) return cudaErrorInvalidConfiguration;
    Self().state.launched_on = Self().device;
    return Submit(config.stream, [=] { RunGrid(thread, grid, block); });
  });
}

}  // namespace host_cuda

using namespace host_cuda;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define NAME(name) \
  case name:       \
    return #name
    NAME(cudaSuccess);
    NAME(cudaErrorInvalidValue);
    NAME(cudaErrorMemoryAllocation);
    NAME(cudaErrorInitializationError);
    NAME(cudaErrorInvalidConfiguration);
    NAME(cudaErrorNoDevice);
    NAME(cudaErrorInvalidDevice);
    NAME(cudaErrorLaunchOutOfResources);
    NAME(cudaErrorStreamCaptureUnsupported);
    NAME(cudaErrorStreamCaptureImplicit);
#undef NAME
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t) { return "an error on the host"; }

cudaError_t cudaGetLastError() { return std::exchange(Self().last, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  return Done([&] { *count = static_cast<int>(Self().state.devices.size()); });
}

cudaError_t cudaGetDevice(int* number) {
  return Done([&] { *number = Self().device; });
}

cudaError_t cudaSetDevice(int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    Self().device = number;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    *value = AttributeOf(Self().state.devices[static_cast<std::size_t>(number)], attribute);
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  return UncapturedCall([&] {
    *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (*memory == nullptr) return cudaErrorMemoryAllocation;
    Process& process = Shared();
    const std::lock_guard<std::mutex> guard(process.lock);
    process.memory[static_cast<const char*>(*memory)] = bytes;
    return cudaSuccess;
  });
}

cudaError_t cudaFree(void* memory) {
  return UncapturedCall([&] {
    if (memory == nullptr) return cudaSuccess;
    Process& process = Shared();
    const std::lock_guard<std::mutex> guard(process.lock);
    if (process.memory.erase(static_cast<const char*>(memory)) == 0) return cudaErrorInvalidValue;
    std::free(memory);
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return UncapturedCall([&] {
    if (!AreWhereSaid(to, from, bytes, kind)) return cudaErrorInvalidValue;
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return UncapturedCall([] { return cudaSuccess; });
}
