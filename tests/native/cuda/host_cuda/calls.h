// How the functions of CUDA's runtime on the host are written: between its two sources.
#ifndef ONNX_ACTS_TESTS_CALLS_H_
#define ONNX_ACTS_TESTS_CALLS_H_

#include <vector>

#include "controls.h"
#include "fakes/inside.h"

// A graph is the list of what it does.
struct CUgraph_st {
  std::vector<host_cuda::Work> works;
};
struct CUstream_st {
  CUgraph_st* graph = nullptr;  // while it is captured
};

namespace host_cuda {

struct Thread {
  State state;
  int device = 0;    // the current one
  int captures = 0;  // streams in capture
  cudaError_t last = cudaSuccess;
};
Thread& Self();

// Whether a call can begin at all.
cudaError_t Enter();

bool IsDevice(int number);
bool IsDeviceMemory(const void* pointer, std::size_t bytes);
bool AreWhereSaid(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);

// Does the work, or records it where the stream is captured.
cudaError_t Submit(cudaStream_t stream, const Work& work);

// What the runtime makes of a call: fails because a test wants it to, or does its work. Errors stay
// behind until somebody asks.
template <class Body>
cudaError_t Call(const Body& body) {
  const onnx_acts::fake::Inside inside;
  cudaError_t error = Enter();
  if (error == cudaSuccess) error = body();
  if (error != cudaSuccess) Self().last = error;
  return error;
}

// A call that allocates or waits, which a capture refuses.
template <class Body>
cudaError_t UncapturedCall(const Body& body) {
  return Call([&] { return Self().captures > 0 ? cudaErrorStreamCaptureUnsupported : body(); });
}

// For calls that only do something.
template <class Body>
cudaError_t Done(const Body& body) {
  return Call([&] {
    body();
    return cudaSuccess;
  });
}

}  // namespace host_cuda

#endif  // ONNX_ACTS_TESTS_CALLS_H_
