#include "cuda/device_node.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cpu/isa.h"
#include "cuda/device_loops.h"
#include "ort/status.h"

namespace onnx_acts {
namespace {

// Whether a functor's 16-bit results come from a table; the rows follow Functor.
constexpr bool kHasTable[] = {
#define ONNX_ACTS_FUNCTOR(name) name::kFloatAccuracy<true> != FloatAccuracy::kExact,
#include "op_table.inc"
};

}  // namespace

DeviceNode::DeviceNode(const OpSpec& spec, Element element, const ort::Api* api,
                       const ort::KernelInfo* info)
    : Node(spec, element, api, info) {
  NamingTheNode([this] {
    device_ = device::Current();
    if (UsesTable()) table_ = MakeTable();
  });
}

DeviceNode::~DeviceNode() {
  if (table_ != nullptr) device::Free(device_, const_cast<uint16_t*>(table_));
}

bool DeviceNode::UsesTable() const {
  return element_size_ == 2 && kHasTable[static_cast<int>(spec_.functor)];
}

// The CPU's results for every pattern whose sign bit is set, so that both give the same bits.
const uint16_t* DeviceNode::MakeTable() const {
  std::vector<uint16_t> x(kTableEntries), y(kTableEntries);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint16_t>(kTableEntries + i);
  const Loops& loops = *ChooseIsa().loops;
  loops.Of(element_).uniform[static_cast<int>(spec_.functor)](
      x.data(), y.data(), static_cast<int64_t>(x.size()), parameter_);
  return static_cast<const uint16_t*>(device::MakeCopy(y.data(), y.size() * sizeof y[0]));
}

void* DeviceNode::StreamOf(const Call& call) const {
  void* handle = nullptr;
  Check(ort::KernelContext_GetGPUComputeStream(api_, call.context, &handle));
  return handle;
}

template <class Body>
void DeviceNode::NamingTheNode(const Body& body) const {
  try {
    body();
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(Where() + ": " + error.what());
  }
}

template <class Part>
void DeviceNode::ForEachLaunch(const Call& call, const Part& part) const {
  const device::Stream stream = {device_, StreamOf(call)};
  NamingTheNode([&] {
    for (int64_t begin = 0; begin < call.count; begin += kLaunchElements) {
      const int64_t count = std::min(kLaunchElements, call.count - begin);
      part(stream, begin, static_cast<uint32_t>(count));
    }
  });
}

void DeviceNode::ComputeUniform(const Call& call) const {
  const auto size = static_cast<int64_t>(element_size_);
  ForEachLaunch(call, [&](const device::Stream& stream, int64_t begin, uint32_t count) {
    const char* x = call.x + begin * size;
    char* y = call.y + begin * size;
    if (table_ != nullptr) {
      device::RunLookup({x, y, count, table_}, stream);
    } else {
      const UniformArgs args = {x, y, count, static_cast<float>(parameter_), parameter_};
      device::RunUniform(spec_.functor, element_, args, stream);
    }
  });
}

void DeviceNode::ComputeSlopes(const Call& call, const SlopeLayout& layout,
                               const char* slopes) const {
  const auto size = static_cast<int64_t>(element_size_);
  const device::Stream stream = {device_, StreamOf(call)};
  NamingTheNode([&] {
    const auto run = [&](const SlopeLayout& part, int64_t count, int64_t first, int64_t slope) {
      const SlopeArgs args = {call.x + first * size, slopes + slope * size, call.y + first * size,
                              static_cast<uint32_t>(count), MakeSlopeMap(part)};
      device::RunSlopes(KindOf(part, PackOf(element_size_)), element_, args, stream);
    };
    ForEachPart(layout, kLaunchElements, run);
  });
}

// y may be x, so in inference noise, which is read from x, goes first.
void DeviceNode::ComputeDraw(const Call& call) const {
  const auto size = static_cast<int64_t>(element_size_);
  ForEachLaunch(call, [&](const device::Stream& stream, int64_t begin, uint32_t count) {
    const auto at = [&](char* tensor) {
      return tensor == nullptr ? nullptr : tensor + begin * size;
    };
    const DrawArgs args = {call.x + begin * size,
                           training_ ? at(call.y) : nullptr,
                           at(call.noise),
                           count,
                           static_cast<uint64_t>(begin / 4),
                           seed_,
                           training_ ? lower_ : parameter_,
                           training_ ? width_ : 0};
    device::RunDraw(element_, args, stream);
  });
  if (!training_) ComputeUniform(call);
}

}  // namespace onnx_acts
