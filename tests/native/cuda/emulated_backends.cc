// The nodes of CUDA for the CPU execution provider. With loop_on_host.cc, a library serves the CPU
// with what CUDA kernels compute, so that everything but CUDA itself is tested where there is no
// GPU.

#include "cuda/device_node.h"
#include "library/backends.h"

namespace onnx_acts {

const BackendList& Backends() {
  static const BackendList backends = {{{"CPUExecutionProvider", MakeNode<DeviceNode>}}, 1};
  return backends;
}

CudaInfo DescribeCuda() { return {"emulated on the host, for tests", device::Architectures()}; }

}  // namespace onnx_acts
