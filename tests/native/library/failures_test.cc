// Every allocation of the library failing in turn, and every call of the runtime: each comes back
// as a status, and nothing is left behind.

#include <algorithm>

#include "fakes/cases.h"
#include "fakes/failing.h"
#include "fakes/fake_node.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

TEST(Info, "information comes in spite of failures, or null") {
  FailEachAllocation("OnnxActsInfo", AskForInfo<Newest>);
}

TEST(Registration, "a registration that fails leaves nothing behind, and the next one works") {
  FailEachAllocation("the first registration", RegisterOnce<Newest>, {"", 1});
  FailEachCall("registration with a second runtime", RegisterOnce<Runtime<17>>, {"", 1});
  FailEach("registration twice", [] {
    ort::SessionOptions options;
    ort::Status* const failed = RegisterCustomOps(&options, &Newest::kBase);
    if (failed != nullptr) return failed;
    ort::Status* const again = RegisterCustomOps(&options, &Newest::kBase);
    CHECK(options.domains.size() == 1, "the domain was added twice");
    return again;
  });
}

TEST(RefusedRuntimes, "runtimes that are too old, or too many, are refused in words") {
  CheckOk(RegisterOnce<Newest>(), "a first runtime");
  CheckOk(RegisterOnce<Runtime<17>>(), "a second runtime");
  const ort::ApiBase strange = {Runtime<20>::GetApi, [] { return "strange"; }};
  ort::SessionOptions options;
  CheckOk(RegisterCustomOps(&options, &strange), "a runtime without a version number");
  CHECK(options.domains.at(0)->ops.at(0)->version == 17, "what every runtime has");
  CheckOk(RegisterOnce<Runtime<22>>(), "a fourth runtime");
  FailEach("a fifth runtime", RegisterOnce<Runtime<21>>, {"too many different ONNX Runtimes"});
  FailEach("an old runtime", RegisterOnce<Runtime<16>>, {"this is ONNX Runtime 1.16.0"});
  FailEach("a runtime without any table", RegisterOnce<Runtime<0>>);
}

// ---- Nodes

double one_double = 0.5;

ort::KernelInfo Info(const char* name) {
  ort::KernelInfo info;
  info.name = name;
  info.inputs = {{{ort::kFloat, {-1, 3, 4}}}, {{ort::kFloat, {3, 1}}}};
  return info;
}

Scenario Making(const ort::CustomOp* op, const ort::KernelInfo& info) {
  return [=] { return FakeNode(op, Newest::Api(), info).TakeStatus(); };
}

ort::Attribute OfKind(ort::Attribute::Kind kind, std::size_t size) {
  ort::Attribute attribute;
  attribute.kind = kind;
  attribute.size = size;
  return attribute;
}

void CheckMaking(const ort::CustomOp* op) {
  const OpSpec& spec = SpecOf(op);
  const std::string what = NameOf(op);
  FailEach(what, Making(op, Info("")));
  FailEach(what, Making(op, Info("a name that no short string holds")));
  ort::KernelInfo given = Info("n");
  for (int i = 0; i < spec.attribute_count; ++i) {
    const AttributeSpec& item = spec.attributes[i];
    given.attributes[item.name] =
        item.kind == AttributeKind::kReal ? OneDouble(&one_double) : Integer(1);
  }
  FailEach(what, Making(op, given));
  given.inputs = {{{ort::kFloat, Sizes(20, 2)}}, {{ort::kFloat, Sizes(20, 3)}}};
  const bool slopes = spec.source == Source::kInput;
  FailEach(what, Making(op, given), {slopes ? "does not broadcast" : ""});
  given.inputs[1].tensor.sizes = Sizes(17, INT64_MAX);
  FailEach(what, Making(op, given), {slopes ? "dimension too large" : ""});
}

void CheckRefused(const ort::CustomOp* op, const char* name, const ort::Attribute& attribute,
                  const std::string& expected) {
  ort::KernelInfo info = Info("refused");
  info.attributes[name] = attribute;
  FailEach(NameOf(op) + ", a refused " + name, Making(op, info), {expected.c_str()});
}

// A tensor of a type that ONNX may get one day.
ort::Attribute OfNewType() {
  ort::Attribute attribute = OneDouble(&one_double);
  attribute.tensor.info.type = static_cast<ort::ElementType>(99);
  return attribute;
}

void CheckRefusedAttributes(const ort::CustomOp* op) {
  const std::pair<ort::Attribute, const char*> no_numbers[] = {
      {OfKind(ort::Attribute::Kind::kString, 70), "a STRING"},
      {OfKind(ort::Attribute::Kind::kFloats, 70), "a list of 70 FLOATS"},
      {OfKind(ort::Attribute::Kind::kInts, 70), "a list of 70 INTS"},
      {OfKind(ort::Attribute::Kind::kFloats, 0), "of another kind"},
      {OfKind(ort::Attribute::Kind::kTensor, 0), "a tensor of 1 undefined value(s)"},
      {OfNewType(), "a tensor of 1 element type 99 value(s)"},
  };
  const OpSpec& spec = SpecOf(op);
  for (int i = 0; i < spec.attribute_count; ++i) {
    const AttributeSpec& item = spec.attributes[i];
    const std::string name = item.name;
    if (item.kind == AttributeKind::kReal) {
      for (const auto& [attribute, expected] : no_numbers)
        CheckRefused(op, item.name, attribute, expected);
    } else {
      CheckRefused(op, item.name, OfKind(ort::Attribute::Kind::kFloat, 0), name + " is a FLOAT");
    }
    if (item.kind == AttributeKind::kFlag) CheckRefused(op, item.name, Integer(2), name + " is 2");
    if (item.range == Range::kPositive) {
      double zero = 0.0;
      CheckRefused(op, item.name, OneDouble(&zero), "attribute " + name + " is 0");
    }
    if (item.at_least >= 0) {
      const char* const low = spec.attributes[item.at_least].name;
      double above = item.real_default + 1.0;
      CheckRefused(op, low, OneDouble(&above), std::string(low) + " <= " + name);
    }
  }
}

void TestCompute(const ort::CustomOp* op, const Sizes& x, const Sizes& slope, std::size_t outputs,
                 const char* expected) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const std::string what = NameOf(op) + ", x " + Text(x) + ", slope " + Text(slope);
  for (const int64_t training : {0, 1}) {
    ort::KernelInfo info = Info("n");
    info.attributes["training_mode"] = Integer(training);
    const FakeNode node(op, Newest::Api(), info);
    FakeCall call;
    call.AddInput(type, x);
    call.AddInput(type, slope);
    for (std::size_t i = 0; i < outputs; ++i) call.AddOutput(type, x);
    FailEach(what, [&] { return node.Run(&call.context); }, {expected});
  }
}

void CheckComputing(const ort::CustomOp* op) {
  const bool slopes = SpecOf(op).source == Source::kInput;
  for (const std::size_t outputs : {1u, 2u}) {
    TestCompute(op, {2, 3, 4}, {3, 1}, outputs, "");
    TestCompute(op, {2, 3, 11000}, {1, 1}, outputs, "");  // shared by threads
    TestCompute(op, {0, 3}, {3}, outputs, "");
    Sizes many(18, 2);  // dimensions
    std::fill(many.begin(), many.begin() + 8, 1);
    TestCompute(op, many, Sizes(18, 1), outputs, "");
  }
  TestCompute(op, Sizes(10, 2), Sizes(10, 3), 1, slopes ? "does not broadcast" : "");
  FakeCall call;
  call.AddInput(op->GetInputType(op, 0), {});
  call.context.inputs[0].info.sizes = Sizes(17, INT64_MAX / 2);
  const FakeNode node(op, Newest::Api(), Info("n"));
  FailEach("too many elements", [&] { return node.Run(&call.context); }, {"dimension too large"});
}

void CheckInference(const ort::CustomOp* op) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const auto inferred = [&](const ort::TensorTypeAndShapeInfo& x) {
    ort::ShapeInferContext context;
    context.x = x;
    FailEach("shape inference", [&] { return op->InferOutputShapeFn(op, &context); });
    return context.y;
  };
  for (const Sizes& sizes : {Sizes{}, Sizes{0, 3}, Sizes(20, 2)}) {
    const Sizes y = inferred({type, sizes}).sizes;
    CHECK(y == sizes, "Y of X %s is %s", Text(sizes).c_str(), Text(y).c_str());
  }
  const ort::TensorTypeAndShapeInfo named = {type, {-1, 3, -1}, {"N", "", "L"}};
  CHECK(inferred(named).sizes == named.sizes, "Y has X's shape");
  CHECK(inferred(named).names == named.names, "Y has the names of X's sizes");
  CHECK(inferred({type, {-1, 3}}).sizes.empty(), "nothing is said of a size without a name");
  CHECK(inferred({type, {-1, -1}, {"N"}}).sizes.empty(), "nor where another one has a name");
}

void ForEachOp(void (*check)(const ort::CustomOp*)) {
  for (const ort::CustomOp* op : RegisteredOps<Newest>()) check(op);
}

TEST(Making, "a node that cannot be made leaves nothing behind") { ForEachOp(CheckMaking); }

TEST(Attributes, "attributes that are refused are named, with what they are") {
  ForEachOp(CheckRefusedAttributes);
}

TEST(Computing, "a node that fails while it computes leaves nothing behind, and then works") {
  ForEachOp(CheckComputing);
}

TEST(Inference, "Y has X's shape, or nothing is said of it") { ForEachOp(CheckInference); }

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  const int status = RunTests(count, arguments);
  std::printf("%ld failures put in\n", onnx_acts::fake::PutIn());
  return status;
}
