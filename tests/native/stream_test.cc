// Streamed results have the bits of those that are stored, wherever Y begins and ends: every
// operator and type, every way of serving slopes, sizes around the one from which Y is streamed.

#include <cstdlib>

#include "check.h"
#include "fake_node.h"
#include "isa.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

constexpr int64_t kStreamFrom = 4096;  // bytes
constexpr std::size_t kAround = 64;    // bytes before and after Y that nobody may write to

struct Shapes {
  Sizes x;
  Sizes slope;
};

// One row for each way of serving slopes, then sizes of one dimension.
std::vector<Shapes> AllShapes(int64_t element_size) {
  const int64_t from = kStreamFrom / element_size;
  std::vector<Shapes> all = {
      {{2, 7, 3000}, {7, 1}},         // long runs of one slope
      {{9, 1501}, {1501}},            // long runs of neighbours
      {{4001, 3}, {3}},               // a short period
      {{2, 200, 7, 7}, {200, 1, 1}},  // blocks of a long pattern
      {{3, 5, 601}, {3, 5, 601}},     // full
      {{2, 3, 13007}, {1}},           // one slope, on several threads
  };
  for (const int64_t count : {from - 1, from, from + 1, 3 * from - 1, 3 * from + 5}) {
    all.push_back({{count}, {1}});
    all.push_back({{count}, {count}});
  }
  return all;
}

// Every bit pattern can come.
void FillAtRandom(char* data, std::size_t bytes) {
  uint64_t state = bytes;
  for (std::size_t i = 0; i < bytes; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    data[i] = static_cast<char>(state >> 56);
  }
}

// Y begins `offset` elements past the start of a line.
void TestCall(const ort::CustomOp* op, const Node& node, const Shapes& shapes, std::size_t offset) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const std::size_t size = ElementSize(type);
  const std::size_t bytes = static_cast<std::size_t>(ElementCount(shapes.x)) * size;
  Call call;
  char* const x = call.AddInput(type, shapes.x);
  char* const slope = call.AddInput(type, shapes.slope);
  call.AddOutput(type, shapes.x);
  call.context.threads = 2;
  FillAtRandom(x, bytes);
  FillAtRandom(slope, static_cast<std::size_t>(ElementCount(shapes.slope)) * size);

  std::vector<char> memory(bytes + 4 * kAround, 'u');
  const std::size_t past_line = reinterpret_cast<uintptr_t>(memory.data()) % 64;
  char* const y = memory.data() + kAround + (64 - past_line) % 64 + offset * size;
  call.context.outputs[0].data = y;
  CHECK(Take(node.Run(&call.context)).empty(), "a status");
  call.context.outputs[0].data = x;  // in place: stored
  CHECK(Take(node.Run(&call.context)).empty(), "a status");
  CHECK(std::memcmp(x, y, bytes) == 0, "%s of %zu bytes: %zu x %zu", op->GetName(op), size, offset,
        bytes);
  const std::vector<char> untouched(kAround, 'u');
  CHECK(std::memcmp(y - kAround, untouched.data(), kAround) == 0, "before Y");
  CHECK(std::memcmp(y + bytes, untouched.data(), kAround) == 0, "after Y");
}

void TestOp(const ort::CustomOp* op, int64_t training) {
  const ort::ElementType type = op->GetInputType(op, 0);
  ort::KernelInfo info;
  info.inputs = {{{type, {}}}, {{type, {}}}};
  info.attributes["training_mode"] = Integer(training);
  const Node node(op, Newest::Api(), info);
  for (const Shapes& shapes : AllShapes(static_cast<int64_t>(ElementSize(type)))) {
    for (const std::size_t offset : {0u, 1u, 7u}) TestCall(op, node, shapes, offset);
  }
}

}  // namespace
}  // namespace onnx_acts::fake

int main() {
  using namespace onnx_acts::fake;
  setenv("ONNX_ACTS_STREAM_FROM", std::to_string(kStreamFrom).c_str(), 1);
  if (onnx_acts::ChooseIsa().loops == nullptr) return 77;  // a level that this processor lacks
  for (const onnx_acts::ort::CustomOp* op : RegisteredOps<Newest>()) {
    TestOp(op, 0);
    if (Is(op, "RReLU")) TestOp(op, 1);
  }
  return FailureCount() != 0;
}
