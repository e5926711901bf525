// Fuzz target: whatever a model can say (attributes, names, shapes), and whatever the runtime can
// answer, to every callback of an operator.

#include <cstdlib>
#include <limits>

#include "fakes/fake_node.h"
#include "fuzz/fuzz_input.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

constexpr int64_t kMostElements = 70000;  // some above the size from which threads share the work

// Most of Y is streamed; not in place, which has to give the same.
const int streamed = setenv("ONNX_ACTS_STREAM_FROM", "2000", 1);

// What the input decides before anything is called.
struct Model {
  double numbers[4];  // of the attributes
  ort::KernelInfo info;
};

ort::Attribute AnyAttribute(FuzzInput& input, double* number) {
  using Kind = ort::Attribute::Kind;
  ort::Attribute attribute = OneDouble(number);
  if (!input.OneIn(4)) {
    attribute.kind = input.OneIn(2) ? Kind::kInt : Kind::kTensor;
  } else {
    attribute.kind = static_cast<Kind>(input.Below(static_cast<int>(Kind::kOther) + 1));
    attribute.tensor.info = {static_cast<ort::ElementType>(input.Byte() - 4), input.HostileShape()};
  }
  attribute.integer = input.OneIn(2) ? static_cast<int64_t>(input.Word()) : input.Below(3);
  attribute.single = input.OneIn(2) ? 0.25f : -std::numeric_limits<float>::infinity();
  attribute.size = static_cast<std::size_t>(input.Below(300));
  return attribute;
}

double AnyNumber(FuzzInput& input) {
  if (!input.OneIn(4)) return static_cast<double>(input.Byte()) / 64;
  const uint64_t word = input.Word();
  double number;
  std::memcpy(&number, &word, sizeof number);
  return number;
}

void Fill(Model& model, FuzzInput& input, ort::ElementType type) {
  const char* const names[] = {"alpha", "lower", "upper", "training_mode", "seed"};
  for (double& number : model.numbers) number = AnyNumber(input);
  for (const char* name : names) {
    if (input.OneIn(3)) continue;
    model.info.attributes[name] = AnyAttribute(input, &model.numbers[input.Below(4)]);
  }
  model.info.name.assign(static_cast<std::size_t>(input.Below(300)),
                         static_cast<char>(input.Byte()));
  const Sizes x = input.OneIn(2) ? input.HostileShape() : Sizes();
  model.info.inputs = {{{type, x}}, {{type, input.OneIn(2) ? input.HostileShape() : Sizes()}}};
}

// Whether memory for a tensor can be had.
bool Fits(const Sizes& sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > kMostElements) {
      return false;
    }
  }
  return true;
}

char* AddInput(FakeCall& call, FuzzInput& input, ort::ElementType type, const Sizes& sizes) {
  if (!Fits(sizes)) {
    call.context.inputs.push_back({{type, sizes}, nullptr});
    return nullptr;
  }
  char* const data = call.AddInput(type, sizes);
  const std::size_t bytes = ByteCount(type, sizes);
  uint64_t state = input.Word();
  for (std::size_t i = 0; i < bytes; ++i) {
    data[i] =
        static_cast<char>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  }
  return data;
}

void AddOutput(FakeCall& call, ort::ElementType type, const Sizes& sizes) {
  if (Fits(sizes)) {
    call.AddOutput(type, sizes);
  } else {
    call.context.outputs.push_back({{type, {}}, nullptr});
  }
}

// Whether an element is positive (or zero), and neither infinite nor NaN, by its highest byte. (For
// float64 and bfloat16 this leaves out some large numbers.)
bool PassesThrough(const char* element, ort::ElementType type) {
  const auto top = static_cast<uint8_t>(element[ElementSize(type) - 1]);
  return top < (type == ort::kFloat16 ? 0x7c : 0x7f);
}

// Numbers that are not negative pass through, whatever the operator and its parameter.
void CheckUnchangedElements(const char* x, const char* y, ort::ElementType type, int64_t count) {
  const std::size_t size = ElementSize(type);
  for (int64_t i = 0; i < count; ++i, x += size, y += size) {
    CHECK(!PassesThrough(x, type) || std::memcmp(x, y, size) == 0, "element %lld of %lld",
          static_cast<long long>(i), static_cast<long long>(count));
  }
}

// Runs the node, and again with Y in X's place, which must give the same.
void Compute(const FakeNode& node, FuzzInput& input, ort::ElementType type) {
  const Sizes x = input.OneIn(8) ? input.HostileShape()
                                 : input.SmallShape(input.OneIn(32) ? kMostElements : 2000);
  FakeCall call;
  char* const from = AddInput(call, input, type, x);
  AddInput(call, input, type, input.SlopeShape(x));
  AddOutput(call, type, x);
  if (input.OneIn(2)) AddOutput(call, type, x);
  ort::Status* const status = node.Run(&call.context);
  if (status != nullptr) {
    CHECK(!Take(status).empty(), "a status without words");
    return;
  }
  ort::Value& y = call.context.outputs[0];
  CHECK(y.info.sizes == x, "Y is %s, X %s", Text(y.info.sizes).c_str(), Text(x).c_str());
  CheckUnchangedElements(from, y.data, type, Product(x));
  const char* const before = std::exchange(y.data, from);
  events.failing = 0;
  CheckOk(node.Run(&call.context), "in place, x " + Text(x));
  const std::size_t bytes = ByteCount(type, x);
  CHECK(std::memcmp(before, from, bytes) == 0, "in place gives other bits, x %s", Text(x).c_str());
}

void TestOne(FuzzInput input) {
  const auto& ops = RegisteredOps<Newest>();
  const ort::CustomOp* op =
      ops[static_cast<std::size_t>(input.Below(static_cast<int64_t>(ops.size())))];
  const ort::ElementType type = op->GetInputType(op, 0);
  const long before = events.live;
  events.calls = 0;
  events.failing = input.OneIn(4) ? 1 + input.Below(40) : 0;
  Model model;
  Fill(model, input, type);
  {
    FakeNode node(op, Newest::Api(), model.info);
    if (node.kernel() != nullptr) {
      Compute(node, input, type);
    } else {
      CHECK(!Take(node.TakeStatus()).empty(), "a refusal without words");
    }
  }
  ort::ShapeInferContext context;
  context.x = {type, input.HostileShape()};
  Take(op->InferOutputShapeFn(op, &context));
  CHECK(events.live == before, "%ld objects left", events.live - before);
}

}  // namespace
}  // namespace onnx_acts::fake

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t count) {
  onnx_acts::fake::TestOne({bytes, count});
  if (FailureCount() != 0) std::abort();
  return 0;
}
