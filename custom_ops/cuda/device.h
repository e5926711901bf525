// The device that computes beside the CPU: finding it, its memory, and starting loops on it.
// loop_cuda.cu implements this with CUDA.
#ifndef ONNX_ACTS_DEVICE_H_
#define ONNX_ACTS_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "activations/op.h"
#include "cuda/device_map.h"

namespace onnx_acts {

struct UniformArgs;
struct SlopeArgs;
struct DrawArgs;
struct LookupArgs;

namespace device {

// Whether there is a device here that this library has machine code for.
struct Support {
  bool usable;
  std::string reason;  // where it is not
};

// Decided once per process.
const Support& Find();

// The compute capabilities that there is machine code for: "9.0".
std::vector<std::string> Architectures();

// One device, as far as loops have to know it.
struct Device {
  int number;
  uint32_t processors;
};

// The calling thread's device: the runtime has chosen it. Throws where there is no code for it.
Device Current();

// Device memory with a copy of `bytes` bytes; never null. Throws with the number of bytes wanted.
void* MakeCopy(const void* data, std::size_t bytes);
void Free(const Device& device, void* memory) noexcept;

// Where a loop runs.
struct Stream {
  const Device& device;
  void* handle;  // the runtime's stream; null is the default one
};

// Each starts a loop and returns at once; throws where it cannot be started. Nothing is allocated
// and nothing is waited for.
void RunUniform(Functor functor, Element element, const UniformArgs& args, const Stream& stream);
void RunSlopes(SlopeKind kind, Element element, const SlopeArgs& args, const Stream& stream);
void RunDraw(Element element, const DrawArgs& args, const Stream& stream);
void RunLookup(const LookupArgs& args, const Stream& stream);

}  // namespace device
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_H_
