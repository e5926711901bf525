// Streamed results have the bits of those that are stored, wherever Y begins and ends: every
// operator and type, every way of serving slopes, sizes around the one from which Y is streamed.

#include "cpu/stream.h"

#include <cstdlib>

#include "cpu/isa.h"
#include "fakes/cases.h"
#include "fakes/fake_node.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

constexpr int64_t kStreamFrom = 4096;  // bytes
constexpr std::size_t kAround = 64;    // bytes before and after Y that nobody may write to

void SetStreamFrom() { setenv("ONNX_ACTS_STREAM_FROM", std::to_string(kStreamFrom).c_str(), 1); }

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
void TestCall(const ort::CustomOp* op, const FakeNode& node, const Shapes& shapes,
              std::size_t offset) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const std::size_t size = ElementSize(type);
  const std::size_t bytes = ByteCount(type, shapes.x);
  const std::string what = NameOf(op) + ", x " + Text(shapes.x) + ", slope " + Text(shapes.slope);
  FakeCall call;
  char* const x = call.AddInput(type, shapes.x);
  char* const slope = call.AddInput(type, shapes.slope);
  call.AddOutput(type, shapes.x);
  call.context.threads = 2;
  FillAtRandom(x, bytes);
  FillAtRandom(slope, ByteCount(type, shapes.slope));

  std::vector<char> memory(bytes + 4 * kAround, 'u');
  const std::size_t past_line = reinterpret_cast<uintptr_t>(memory.data()) % 64;
  char* const y = memory.data() + kAround + (64 - past_line) % 64 + offset * size;
  call.context.outputs[0].data = y;
  CheckOk(node.Run(&call.context), what);
  call.context.outputs[0].data = x;  // in place: stored
  CheckOk(node.Run(&call.context), what);
  CHECK(std::memcmp(x, y, bytes) == 0, "%s, %zu elements past a line", what.c_str(), offset);
  const std::vector<char> untouched(kAround, 'u');
  CHECK(std::memcmp(y - kAround, untouched.data(), kAround) == 0, "before Y: %s", what.c_str());
  CHECK(std::memcmp(y + bytes, untouched.data(), kAround) == 0, "after Y: %s", what.c_str());
}

void TestOp(const ort::CustomOp* op, int64_t training) {
  const ort::ElementType type = op->GetInputType(op, 0);
  ort::KernelInfo info;
  info.inputs = {{{type, {}}}, {{type, {}}}};
  info.attributes["training_mode"] = Integer(training);
  const FakeNode node(op, Newest::Api(), info);
  for (const Shapes& shapes : AllShapes(static_cast<int64_t>(ElementSize(type)))) {
    for (const std::size_t offset : {0u, 1u, 7u}) TestCall(op, node, shapes, offset);
  }
}

TEST(Operators, "streamed results have the bits of those that are stored") {
  for (const ort::CustomOp* op : RegisteredOps<Newest>()) {
    TestOp(op, 0);
    if (SpecOf(op).source == Source::kDraw) TestOp(op, 1);
  }
}

// ---- Fill by itself, on a stream that looks at what it gets

std::size_t streamed = 0;  // bytes

void LookAndCopy(const void* lines, void* to, int64_t bytes) {
  const bool aligned =
      (reinterpret_cast<uintptr_t>(lines) | reinterpret_cast<uintptr_t>(to)) % 64 == 0;
  CHECK(aligned && bytes > 0 && bytes % 64 == 0, "%lld bytes", static_cast<long long>(bytes));
  std::memcpy(to, lines, static_cast<std::size_t>(bytes));
  streamed += static_cast<std::size_t>(bytes);
}

void CheckFill(int64_t count, int64_t element_size, std::size_t offset) {
  const auto size = static_cast<std::size_t>(element_size),
             bytes = static_cast<std::size_t>(count) * size;
  std::vector<char> memory(bytes + 4 * kAround, 'u');
  const std::size_t past_line = reinterpret_cast<uintptr_t>(memory.data()) % 64;
  char* const y = memory.data() + kAround + (64 - past_line) % 64 + offset * size;
  std::vector<int> times(static_cast<std::size_t>(count), 0);
  streamed = 0;
  Fill(y, count, element_size, LookAndCopy, [&](int64_t at, char* to, int64_t n) {
    for (int64_t i = at; i < at + n; ++i, to += element_size) {
      ++times[static_cast<std::size_t>(i)];
      std::memset(to, static_cast<int>(i % 100), size);
    }
  });
  for (std::size_t i = 0; i < times.size(); ++i) {
    CHECK(times[i] == 1, "element %zu, %d times", i, times[i]);
    CHECK(y[i * size] == static_cast<char>(i % 100), "element %zu", i);
  }
  CHECK(streamed + 1024 > bytes && streamed <= bytes, "%zu of %zu bytes", streamed, bytes);
  CHECK(y[-1] == 'u' && y[bytes] == 'u', "beside Y");
}

TEST(Fill, "Fill computes each element once, streams most and touches nothing beside them") {
  for (const int64_t element_size : {4, 8}) {
    for (std::size_t offset = 0; offset < 16; ++offset) {
      for (int64_t count = 0; count < 700; ++count) CheckFill(count, element_size, offset);
    }
  }
}

TEST(RefusedSizes, "a node is not made where ONNX_ACTS_STREAM_FROM is no number") {
  const ort::CustomOp* op = RegisteredOps<Newest>().front();
  ort::KernelInfo info;
  info.inputs = {{{ort::kFloat, {}}}, {{ort::kFloat, {}}}};
  for (const char* value : {"abc", "64M", "-1", "1e9", "99999999999999999999"}) {
    setenv("ONNX_ACTS_STREAM_FROM", value, 1);
    const std::string message = Take(FakeNode(op, Newest::Api(), info).TakeStatus());
    CHECK(message.find(std::string("ONNX_ACTS_STREAM_FROM=") + value) != std::string::npos, "'%s'",
          message.c_str());
  }
  SetStreamFrom();
}

TEST(DefaultSize, "a node is made where ONNX_ACTS_STREAM_FROM is empty or not set") {
  const ort::CustomOp* op = RegisteredOps<Newest>().front();
  ort::KernelInfo info;
  info.inputs = {{{ort::kFloat, {}}}, {{ort::kFloat, {}}}};
  setenv("ONNX_ACTS_STREAM_FROM", "", 1);
  CheckOk(FakeNode(op, Newest::Api(), info).TakeStatus(), "empty");
  unsetenv("ONNX_ACTS_STREAM_FROM");
  CheckOk(FakeNode(op, Newest::Api(), info).TakeStatus(), "not set");
  SetStreamFrom();
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  onnx_acts::fake::SetStreamFrom();
  if (onnx_acts::ChooseIsa().loops == nullptr) return 77;  // a level that this processor lacks
  return RunTests(count, arguments);
}
