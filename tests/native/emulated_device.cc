// The device of device.h on the host: a loop over blocks and threads takes the place of the grid.
// A library with this in it serves the CPU execution provider with what CUDA kernels compute, so
// that everything but CUDA itself is tested where there is no GPU.

#include <cstdlib>
#include <cstring>
#include <vector>

#include "backends.h"
#include "device_dispatch.h"
#include "device_kernel.h"

namespace onnx_acts {
namespace {

// Small, so that tensors of a few thousand elements take several launches, and threads several
// rounds.
constexpr int64_t kSmallLaunch = 4096;
constexpr uint32_t kBlocks = 3, kThreads = 32;

std::vector<char>& SharedMemory() {
  static thread_local std::vector<char> memory(kTableEntries * sizeof(uint16_t) + sizeof(Word16));
  return memory;
}

template <class Body>
void ForEachLane(uint32_t blocks, const Body& body) {
  for (uint32_t i = 0; i < blocks * kThreads; ++i) body(Lane{i, blocks * kThreads});
}

struct HostRunner {
  template <class Thread>
  static void Run(const typename Thread::Args& args, const device::Stream&) {
    const uint32_t packs = PacksOf(args.count, kPack<typename Thread::Element>);
    ForEachLane(BlocksFor(packs, kThreads, kBlocks), [&](Lane lane) { Thread::Run(args, lane); });
  }
};

}  // namespace

const BackendList& Backends() {
  static const BackendList backends = {{{"CPUExecutionProvider", MakeNode<DeviceKernel>}}, 1};
  return backends;
}

CudaInfo DescribeCuda() { return {"emulated on the host, for tests", {}}; }

namespace device {

Device Current() { return {0, 1, kSmallLaunch, 1}; }

void* MakeCopy(const void* data, std::size_t bytes) {
  void* memory = std::aligned_alloc(256, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return std::memcpy(memory, data, bytes);
}

void Free(const Device&, void* memory) noexcept { std::free(memory); }

void RunUniform(Functor functor, Element element, const UniformArgs& args, const Stream& stream) {
  Dispatch<HostRunner>::Uniform(functor, element, args, stream);
}

void RunSlopes(SlopeKind kind, Element element, const SlopeArgs& args, const Stream& stream) {
  Dispatch<HostRunner>::Slopes(kind, element, args, stream);
}

void RunDraw(Element element, const DrawArgs& args, const Stream& stream) {
  Dispatch<HostRunner>::Draw(element, args, stream);
}

// Small tensors by the table itself, others by a copy of it, as CUDA does.
void RunLookup(const LookupArgs& args, const Stream&) {
  const uint32_t blocks = BlocksFor(PacksOf(args.count, kPack<uint16_t>), kThreads, kBlocks);
  const uint16_t* table = args.table;
  if (args.count > kSmallLaunch / 2) {
    std::vector<char>& memory = SharedMemory();
    const auto address = reinterpret_cast<uintptr_t>(memory.data());
    auto* copy = reinterpret_cast<uint16_t*>((address + 15) / 16 * 16);
    std::memset(copy, 0xff, kTableEntries * sizeof(uint16_t));
    for (uint32_t i = 0; i < kThreads; ++i) LookupThread::Fill(args, copy, i, kThreads);
    table = copy;
  }
  ForEachLane(blocks, [&](Lane lane) { LookupThread::Run(args, table, lane); });
}

}  // namespace device
}  // namespace onnx_acts
