#include "controls.h"

#include <chrono>
#include <cstring>
#include <utility>

#include "calls.h"

struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};

using namespace host_cuda;

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int number) {
  return Call([&] {
    if (!IsDevice(number)) return cudaErrorInvalidDevice;
    const Device& device = Self().state.devices[static_cast<std::size_t>(number)];
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

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  return UncapturedCall([&] {
    if (!IsDeviceMemory(memory, bytes)) return cudaErrorInvalidValue;
    std::memset(memory, value, bytes);
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

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  return Call([&] {
    if (stream == nullptr || stream->graph != nullptr) return cudaErrorInvalidValue;
    stream->graph = new CUgraph_st;
    ++Self().captures;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return Call([&] {
    if (stream->graph == nullptr) return cudaErrorInvalidValue;
    *graph = std::exchange(stream->graph, nullptr);
    --Self().captures;
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
