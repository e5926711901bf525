// A library for the CPU, and for CUDA where the process can use it.

#include "backends.h"
#include "device.h"
#include "device_kernel.h"
#include "kernel.h"

namespace onnx_acts {

const BackendList& Backends() {
  static const BackendList backends = {{{"CPUExecutionProvider", MakeNode<Kernel>},
                                        {"CUDAExecutionProvider", MakeNode<DeviceKernel>}},
                                       device::Find().usable ? 2u : 1u};
  return backends;
}

CudaInfo DescribeCuda() { return {device::Find().reason, device::Architectures()}; }

}  // namespace onnx_acts
