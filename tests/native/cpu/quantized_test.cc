// Nodes on tensors of 8 bits, on a runtime in which everything fails in turn: each failure comes
// back as a status, nothing is left behind, and what is refused is named.

#include <algorithm>

#include "fakes/cases.h"
#include "fakes/failing.h"
#include "fakes/fake_node.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

float scale = 0.5f;
uint8_t zero = 100;
float slope = 0.25f;

constexpr std::size_t kSlopeInput = 5;

char* ValueOf(ort::ElementType type, std::size_t input) {
  if (type == ort::kUint8) return reinterpret_cast<char*>(&zero);
  return reinterpret_cast<char*>(input == kSlopeInput ? &slope : &scale);
}

bool HasSlope(const ort::CustomOp* op) { return op->GetInputTypeCount(op) > kSlopeInput; }

// X of (-1, 3, 4), and scalars that are constants where they are wanted to be.
ort::KernelInfo Info(const ort::CustomOp* op, bool constants, const Sizes& scalar = {}) {
  ort::KernelInfo info;
  info.name = "a name that no short string holds";
  for (std::size_t i = 0; i < op->GetInputTypeCount(op); ++i) {
    const ort::ElementType type = op->GetInputType(op, i);
    info.inputs.push_back({{type, i == 0 ? Sizes{-1, 3, 4} : scalar}});
    if (constants && i > 0) info.constants[i] = {{type, scalar}, ValueOf(type, i)};
  }
  return info;
}

Scenario Making(const ort::CustomOp* op, const ort::KernelInfo& info) {
  return [=] { return FakeNode(op, Newest::Api(), info).TakeStatus(); };
}

template <class Check>
void ForEachOp(const Check& check) {
  const auto& ops = QuantizedOps<Newest>();
  CHECK(ops.size() == kQuantizedOpCount, "they are registered");
  for (const ort::CustomOp* op : ops) check(op);
}

TEST(Making, "a node that cannot be made leaves nothing behind") {
  ForEachOp([](const ort::CustomOp* op) {
    FailEach("scalars of the call", Making(op, Info(op, false)));
    FailEach("constants", Making(op, Info(op, true)));
    FailEach("constants of one dimension", Making(op, Info(op, true, {1})));
  });
}

TEST(Refused, "inputs that do not fit are named with their shape") {
  ForEachOp([](const ort::CustomOp* op) {
    FailEach("several scales", Making(op, Info(op, true, {2})),
             {HasSlope(op) ? "slope of shape (2,)" : "x_scale of shape (2,); expected one value"});
    ort::KernelInfo info = Info(op, true);
    info.constants[4].info.sizes = {0};
    FailEach("no zero point", Making(op, info), {"y_zero_point of shape (0,); expected one value"});
  });
}

// A call whose tensors are filled: X with all integers in turn.
void Fill(const ort::CustomOp* op, FakeCall& call, const Sizes& x, const Sizes& scalar,
          const Sizes& slopes) {
  for (std::size_t i = 0; i < op->GetInputTypeCount(op); ++i) {
    const ort::ElementType type = op->GetInputType(op, i);
    const Sizes& sizes = i == 0 ? x : i == kSlopeInput ? slopes : scalar;
    char* data = call.AddInput(type, sizes);
    const int64_t count = Product(sizes);
    for (int64_t k = 0; k < count; ++k) {
      if (i == 0) {
        data[k] = static_cast<char>(k);
      } else if (i == kSlopeInput) {
        reinterpret_cast<float*>(data)[k] = slope;
      } else {
        std::memcpy(data + k * static_cast<int64_t>(ElementSize(type)), ValueOf(type, i),
                    ElementSize(type));
      }
    }
  }
  call.AddOutput(ort::kUint8, x);
}

void TestCompute(const ort::CustomOp* op, const Sizes& x, const Sizes& slopes, bool constants) {
  const FakeNode node(op, Newest::Api(), Info(op, constants));
  FakeCall call;
  Fill(op, call, x, {}, slopes);
  call.context.threads = 2;
  FailEach("computing", [&] { return node.Run(&call.context); });
  const auto* y = reinterpret_cast<const uint8_t*>(call.context.outputs[0].data);
  for (int64_t k = 0; k < std::min<int64_t>(Product(x), 256); ++k) {
    // Scales and zero points are alike, so what is not negative stays; a slope is a quarter.
    const auto element = static_cast<int>(k & 0xff);
    const int below = 100 - element;
    const int kept = below <= 0 ? element : -1;
    const int quarter = 100 - (below / 4 + (below % 4 == 3 || below % 8 == 6 ? 1 : 0));
    if (kept >= 0) CHECK(y[k] == kept, "y of %d is %d", element, y[k]);
    if (kept < 0 && HasSlope(op)) CHECK(y[k] == quarter, "y of %d is %d", element, y[k]);
    if (kept < 0 && !HasSlope(op)) CHECK(y[k] == 98 || y[k] == 99, "y of %d is %d", element, y[k]);
  }
}

TEST(Computing, "a node that fails while it computes leaves nothing behind, and then works") {
  ForEachOp([](const ort::CustomOp* op) {
    for (const bool constants : {false, true}) {
      TestCompute(op, {2, 32, 4}, {32, 1}, false);
      TestCompute(op, {256}, {}, constants);
      TestCompute(op, {4, 3, 40000}, {}, constants);  // shared by threads
      TestCompute(op, {0, 3}, {}, constants);
    }
  });
}

TEST(RefusedCalls, "tensors of a call that do not fit are named with their shape") {
  ForEachOp([](const ort::CustomOp* op) {
    const FakeNode node(op, Newest::Api(), Info(op, false));
    const auto expect = [&](const Sizes& scalar, const Sizes& slopes, const std::string& message) {
      FakeCall call;
      Fill(op, call, {2, 3, 4}, scalar, slopes);
      FailEach(message, [&] { return node.Run(&call.context); }, {message});
    };
    expect({3}, {1}, "x_scale of shape (3,); expected one value");
    if (HasSlope(op)) expect({}, {5, 1, 1}, "slope of shape (5, 1, 1) does not broadcast to X");
  });
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) { return RunTests(count, arguments); }
