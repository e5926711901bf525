// What tests say to CUDA's runtime on the host, and what they see of it; and those of CUDA's
// functions that only tests call.
#ifndef ONNX_ACTS_TESTS_CONTROLS_H_
#define ONNX_ACTS_TESTS_CONTROLS_H_

#include <cstddef>
#include <vector>

#include "cuda_runtime.h"

namespace host_cuda {

struct Device {
  int capability;  // times ten
  int processors;
};

struct State {
  std::vector<Device> devices = {Device{90, 2}};
  bool initialised = true;                            // false: as in a forked process
  long calls = 0;                                     // so far, of those that can fail
  long failing = 0;                                   // the number of the call that fails; 0: none
  cudaError_t error = cudaErrorLaunchOutOfResources;  // what that one returns
  int launched_on = -1;                               // the device of the last kernel
};

// The calling thread's.
State& Current();

// How many pieces of device memory there are.
std::size_t Allocations();

}  // namespace host_cuda

inline unsigned long long atomicMax(unsigned long long* at, unsigned long long value) {
  const unsigned long long before = *at;
  if (value > before) *at = value;
  return before;
}

// ---- Devices

struct cudaDeviceProp {
  char name[256];
  int major, minor;
};

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int number);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaDeviceSynchronize();

// ---- Memory

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);

// ---- Streams, graphs, events

using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraph_st*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };

cudaError_t cudaStreamCreate(cudaStream_t* stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* ready, cudaGraph_t graph, unsigned long long);
cudaError_t cudaGraphLaunch(cudaGraphExec_t ready, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t ready);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end);

#endif  // ONNX_ACTS_TESTS_CONTROLS_H_
