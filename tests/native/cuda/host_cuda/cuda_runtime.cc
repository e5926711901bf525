#include "cuda_runtime.h"

#include <chrono>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "fakes/inside.h"

// A graph is the list of what it does.
struct CUgraph_st {
  std::vector<host_cuda::Work> works;
};
struct CUstream_st {
  CUgraph_st* graph = nullptr;  // while it is captured
};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};

namespace host_cuda {
namespace {

constexpr std::size_t kSharedWithoutAsking = 48 << 10;  // bytes
constexpr int kThreadsOfAProcessor = 2048;

struct Thread {
  State state;
  int device = 0;    // the current one
  int captures = 0;  // streams in capture
  cudaError_t last = cudaSuccess;
  int barriers_passed = 0, barriers_open = 0;
  std::jmp_buf at_barrier;  // kernels have nothing to destroy
};
thread_local Thread self;

// What all threads share.
struct Process {
  std::mutex lock;
  std::map<const char*, std::size_t> memory;    // device memory
  std::map<const void*, std::size_t> reserved;  // bytes of shared memory, by kernel
};
Process& Shared() {
  static auto* const process = new Process;  // never destroyed: memory is freed at the very end
  return *process;
}

cudaError_t Enter() {
  State& state = self.state;
  if (++state.calls == state.failing) return state.error;
  if (!state.initialised) return cudaErrorInitializationError;
  return state.devices.empty() ? cudaErrorNoDevice : cudaSuccess;
}

// What the runtime makes of a call: fails because a test wants it to, or does its work. Errors stay
// behind until somebody asks.
template <class Body>
cudaError_t Call(const Body& body) {
  const onnx_acts::fake::Inside inside;
  cudaError_t error = Enter();
  if (error == cudaSuccess) error = body();
  if (error != cudaSuccess) self.last = error;
  return error;
}

// A call that allocates or waits, which a capture refuses.
template <class Body>
cudaError_t UncapturedCall(const Body& body) {
  return Call([&] { return self.captures > 0 ? cudaErrorStreamCaptureUnsupported : body(); });
}

// For calls that only do something.
template <class Body>
cudaError_t Done(const Body& body) {
  return Call([&] {
    body();
    return cudaSuccess;
  });
}

// Does the work, or records it where the stream is captured.
cudaError_t Submit(cudaStream_t stream, const Work& work) {
  if (stream == nullptr && self.captures > 0) return cudaErrorStreamCaptureImplicit;
  if (stream != nullptr && stream->graph != nullptr) {
    stream->graph->works.push_back(work);
  } else {
    work();
  }
  return cudaSuccess;
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

std::size_t MostShared(const void* kernel) {
  Process& process = Shared();
  const std::lock_guard<std::mutex> guard(process.lock);
  const auto found = process.reserved.find(kernel);
  return found == process.reserved.end() ? kSharedWithoutAsking : found->second;
}

// One thread up to the barrier that is not open yet; whether it came to its end.
bool RunThread(const Work& thread) {
  self.barriers_passed = 0;
  if (setjmp(self.at_barrier) != 0) return false;
  thread();
  return true;
}

void RunBlock(const Work& thread, std::size_t shared) {
  if (shared > 0) std::memset(shared_memory.address(), 0xff, shared);
  unsigned ended = 0;
  for (self.barriers_open = 0; ended == 0; ++self.barriers_open) {
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) ended += RunThread(thread);
    if (ended != 0 && ended != blockDim.x) {
      std::fprintf(stderr, "a barrier that only some threads of a block reach\n");
      std::abort();
    }
  }
}

void RunGrid(const Work& thread, dim3 grid, dim3 block, std::size_t shared) {
  gridDim = grid;
  blockDim = block;
  for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) RunBlock(thread, shared);
}

int AttributeOf(const Device& device, cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      return device.processors;
    case cudaDevAttrComputeCapabilityMajor:
      return device.capability / 10;
    case cudaDevAttrComputeCapabilityMinor:
      return device.capability % 10;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return device.shared_memory;
  }
  return 0;
}

bool IsDevice(int number) {
  return number >= 0 && static_cast<std::size_t>(number) < self.state.devices.size();
}

}  // namespace

State& Current() { return self.state; }

std::size_t Allocations() {
  Process& process = Shared();
  const std::lock_guard<std::mutex> guard(process.lock);
  return process.memory.size();
}

cudaError_t Launch(const Work& thread, const void* kernel, const cudaLaunchConfig_t& config) {
  return Call([&] {
    const std::size_t shared = config.dynamicSmemBytes;
    const dim3 grid = config.gridDim, block = config.blockDim;
    const bool fits = shared <= MostShared(kernel) && shared <= shared_memory.bytes;
    if (grid.x == 0 || block.x == 0 || block.x > 1024) return cudaErrorInvalidConfiguration;
    if (shared > 0 && !fits) return cudaErrorInvalidValue;
    self.state.launched_on = self.device;
    return Submit(config.stream, [=] { RunGrid(thread, grid, block, shared); });
  });
}

cudaError_t ReserveShared(const void* kernel, int bytes) {
  return Call([&] {
    if (bytes > self.state.devices[0].shared_memory) return cudaErrorInvalidValue;
    Process& process = Shared();
    const std::lock_guard<std::mutex> guard(process.lock);
    process.reserved[kernel] = static_cast<std::size_t>(bytes);
    return cudaSuccess;
  });
}

cudaError_t CountBlocks(int* blocks, const void* kernel, int threads, std::size_t shared) {
  return Done([&] { *blocks = shared <= MostShared(kernel) ? kThreadsOfAProcessor / threads : 0; });
}

}  // namespace host_cuda

using namespace host_cuda;

void __syncthreads() {
  if (++self.barriers_passed > self.barriers_open) std::longjmp(self.at_barrier, 1);
}

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

cudaError_t cudaGetLastError() { return std::exchange(self.last, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  return Done([&] { *count = static_cast<int>(self.state.devices.size()); });
}

cudaError_t cudaGetDevice(int* number) {
  return Done([&] { *number = self.device; });
}

cudaError_t cudaSetDevice(int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    self.device = number;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    *value = AttributeOf(self.state.devices[static_cast<std::size_t>(number)], attribute);
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    const Device& device = self.state.devices[static_cast<std::size_t>(number)];
    *properties = {"the host", device.capability / 10, device.capability % 10};
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return Done([&] { *version = 0; });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return Done([&] { *version = 0; });
}

cudaError_t cudaDeviceSynchronize() {
  return UncapturedCall([] { return cudaSuccess; });
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

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  return UncapturedCall([&] {
    if (!IsDeviceMemory(memory, bytes)) return cudaErrorInvalidValue;
    std::memset(memory, value, bytes);
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

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return Call([&] {
    if (!AreWhereSaid(to, from, bytes, kind)) return cudaErrorInvalidValue;
    return Submit(stream, [=] { std::memcpy(to, from, bytes); });
  });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return Done([&] { *stream = new CUstream_st; });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return Done([&] { delete stream; });
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return UncapturedCall([] { return cudaSuccess; });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return Call([&] {
    if (stream == nullptr || stream->graph != nullptr) return cudaErrorInvalidValue;
    stream->graph = new CUgraph_st;
    ++self.captures;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return Call([&] {
    if (stream->graph == nullptr) return cudaErrorInvalidValue;
    *graph = std::exchange(stream->graph, nullptr);
    --self.captures;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph, unsigned long long) {
  return Done([&] { *ready = new CUgraph_st(*graph); });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t ready, cudaStream_t) {
  return Done([&] {
    for (const Work& work : ready->works) work();
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t ready) {
  return Done([&] { delete ready; });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return Done([&] { delete graph; });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return Done([&] { *event = new CUevent_st; });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return Done([&] { delete event; });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  return Done([&] { event->time = std::chrono::steady_clock::now(); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return UncapturedCall([] { return cudaSuccess; });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return Done([&] {
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  });
}
