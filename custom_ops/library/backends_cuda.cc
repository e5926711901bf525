// A library for the CPU, and for CUDA where the process can use it.

#include "cpu/cpu_node.h"
#include "cuda/device.h"
#include "cuda/device_node.h"
#include "library/backends.h"

namespace onnx_acts {

const BackendList& Backends() {
  static const BackendList backends = {{{"CPUExecutionProvider", MakeNode<CpuNode>},
                                        {"CUDAExecutionProvider", MakeNode<DeviceNode>}},
                                       device::Find().usable ? 2u : 1u};
  return backends;
}

CudaInfo DescribeCuda() { return {device::Find().reason, device::Architectures()}; }

}  // namespace onnx_acts
