// Every allocation of the library failing in turn, and every call of the runtime: each comes back
// as a status, and nothing is left behind.

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <new>

#include "fakes/check.h"
#include "fakes/fake_node.h"

namespace {

struct Allocations {
  bool counted = false;
  long calls = 0;
  long failing = 0;
};
Allocations allocations;

}  // namespace

void* operator new(std::size_t size) {
  const bool counted = allocations.counted && onnx_acts::fake::inside == 0;
  if (counted && ++allocations.calls == allocations.failing) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

constexpr char kNoMemory[] = "onnx_acts: out of memory";
constexpr char kInjectedMessage[] = "put in by the test";

long put_in = 0;  // failures so far

// Runs part of the library; null for success.
using Scenario = std::function<ort::Status*()>;

// What an undisturbed run must give.
struct Expected {
  std::string message;  // a part of it; "" for success
  long kept = 0;        // objects that are made once and live on
};

std::string RunFailing(const Scenario& scenario, long allocation, long call) {
  allocations = {true, 0, allocation};
  events.calls = 0;
  events.failing = call;
  ort::Status* const status = scenario();
  allocations.counted = false;
  events.failing = 0;
  return Take(status);
}

void CheckUndisturbed(const char* what, const std::string& message, const Expected& expected) {
  const bool as_expected = expected.message.empty()
                               ? message.empty()
                               : message.find(expected.message) != std::string::npos;
  CHECK(as_expected, "%s: '%s', expected '%s'", what, message.c_str(), expected.message.c_str());
}

// Runs the scenario until `run(turn)`, which says whether anything failed, is undisturbed.
void FailEach(const char* what, const char* failing, const Expected& expected,
              const std::function<std::pair<bool, std::string>(long turn)>& run,
              const char* message_of_failure) {
  const long before = events.live;
  for (long turn = 1;; ++turn) {
    const auto [failed, message] = run(turn);
    const long left = events.live - before;
    if (!failed) {
      CHECK(left == expected.kept, "%s: %ld objects left", what, left);
      return CheckUndisturbed(what, message, expected);
    }
    ++put_in;
    CHECK(left <= expected.kept, "%s, %s %ld: %ld objects left", what, failing, turn, left);
    CHECK(message == message_of_failure, "%s, %s %ld: '%s'", what, failing, turn, message.c_str());
  }
}

void FailEachAllocation(const char* what, const Scenario& scenario, const Expected& expected = {}) {
  const auto run = [&](long turn) {
    const std::string message = RunFailing(scenario, turn, 0);
    return std::make_pair(allocations.calls >= turn, message);
  };
  FailEach(what, "allocation", expected, run, kNoMemory);
}

void FailEachCall(const char* what, const Scenario& scenario, const Expected& expected = {}) {
  const auto run = [&](long turn) {
    const std::string message = RunFailing(scenario, 0, turn);
    return std::make_pair(events.calls >= turn, message);
  };
  FailEach(what, "call", expected, run, kInjectedMessage);
}

void FailEach(const char* what, const Scenario& scenario, const Expected& expected = {}) {
  FailEachAllocation(what, scenario, expected);
  FailEachCall(what, scenario, expected);
}

template <class Runtime>
ort::Status* RegisterOnce() {
  ort::SessionOptions options;
  return RegisterCustomOps(&options, &Runtime::kBase);
}

void TestInfo() {
  FailEachAllocation("OnnxActsInfo", [] {
    const bool given = OnnxActsInfo() != nullptr;
    return given ? nullptr : ort::CreateStatus(Newest::Api(), ort::kFail, kNoMemory);
  });
}

void TestRegistration() {
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

void TestRefusedRuntimes() {
  const ort::ApiBase strange = {Runtime<20>::GetApi, [] { return "strange"; }};
  ort::SessionOptions options;
  CHECK(Take(RegisterCustomOps(&options, &strange)).empty(), "a runtime without a version number");
  CHECK(options.domains.at(0)->ops.at(0)->version == 17, "what every runtime has");
  CHECK(Take(RegisterOnce<Runtime<22>>()).empty(), "a fourth runtime");
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

void TestMaking(const ort::CustomOp* op) {
  const std::string name = op->GetName(op);
  const char* what = op->GetName(op);
  FailEach(what, Making(op, Info("")));
  FailEach(what, Making(op, Info("a name that no short string holds")));
  ort::KernelInfo given = Info("n");
  for (const char* real : {"alpha", "lower", "upper"})
    given.attributes[real] = OneDouble(&one_double);
  given.attributes["training_mode"] = given.attributes["seed"] = Integer(1);
  FailEach(what, Making(op, given));
  given.inputs = {{{ort::kFloat, Sizes(20, 2)}}, {{ort::kFloat, Sizes(20, 3)}}};
  const bool slopes = name == "PReLU";
  FailEach(what, Making(op, given), {slopes ? "does not broadcast" : ""});
  given.inputs[1].tensor.sizes = Sizes(17, INT64_MAX);
  FailEach(what, Making(op, given), {slopes ? "dimension too large" : ""});
}

void TestRefusedAttributes(const ort::CustomOp* op) {
  const std::string name = op->GetName(op);
  if (name == "ReLU" || name == "PReLU") return;
  const char* real = name == "RReLU" ? "upper" : "alpha";
  const std::pair<ort::Attribute, const char*> rows[] = {
      {OfKind(ort::Attribute::Kind::kString, 70), "a STRING"},
      {OfKind(ort::Attribute::Kind::kFloats, 70), "a list of 70 FLOATS"},
      {OfKind(ort::Attribute::Kind::kInts, 70), "a list of 70 INTS"},
      {OfKind(ort::Attribute::Kind::kFloats, 0), "of another kind"},
      {OfKind(ort::Attribute::Kind::kTensor, 0), "a tensor of 1 undefined value(s)"},
  };
  for (const auto& [attribute, expected] : rows) {
    ort::KernelInfo info = Info("refused");
    info.attributes[real] = attribute;
    FailEach("a refused attribute", Making(op, info), {expected});
  }
  if (name != "RReLU") return;
  ort::KernelInfo info = Info("refused");
  info.attributes["training_mode"] = Integer(2);
  FailEach("a refused flag", Making(op, info), {"training_mode is 2"});
  info.attributes["training_mode"] = OfKind(ort::Attribute::Kind::kFloat, 0);
  FailEach("a flag of another kind", Making(op, info), {"training_mode is a FLOAT"});
  info.attributes["lower"] = OneDouble(&one_double);
  FailEach("refused bounds", Making(op, info), {"lower <= upper"});
}

void TestCompute(const ort::CustomOp* op, const Sizes& x, const Sizes& slope, std::size_t outputs,
                 const char* expected) {
  const ort::ElementType type = op->GetInputType(op, 0);
  for (const int64_t training : {0, 1}) {
    ort::KernelInfo info = Info("n");
    info.attributes["training_mode"] = Integer(training);
    const FakeNode node(op, Newest::Api(), info);
    FakeCall call;
    call.AddInput(type, x);
    call.AddInput(type, slope);
    for (std::size_t i = 0; i < outputs; ++i) call.AddOutput(type, x);
    FailEach(op->GetName(op), [&] { return node.Run(&call.context); }, {expected});
  }
}

void TestComputing(const ort::CustomOp* op) {
  const bool slopes = Is(op, "PReLU");
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

void TestInference(const ort::CustomOp* op) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const auto inferred = [&](const ort::TensorTypeAndShapeInfo& x) {
    ort::ShapeInferContext context;
    context.x = x;
    FailEach("shape inference", [&] { return op->InferOutputShapeFn(op, &context); });
    return context.y;
  };
  for (const Sizes& sizes : {Sizes{}, Sizes{0, 3}, Sizes(20, 2)}) {
    CHECK(inferred({type, sizes}).sizes == sizes, "Y has X's shape");
  }
  const ort::TensorTypeAndShapeInfo named = {type, {-1, 3, -1}, {"N", "", "L"}};
  CHECK(inferred(named).sizes == named.sizes, "Y has X's shape");
  CHECK(inferred(named).names == named.names, "Y has the names of X's sizes");
  CHECK(inferred({type, {-1, 3}}).sizes.empty(), "nothing is said of a size without a name");
  CHECK(inferred({type, {-1, -1}, {"N"}}).sizes.empty(), "nor where another one has a name");
}

// With ONNX_ACTS_ISA naming no level, the library says so and registers nothing.
void TestRefusedLevel() {
  setenv("ONNX_ACTS_ISA", "v9", 1);
  FailEach("a level that does not exist", RegisterOnce<Newest>,
           {"ONNX_ACTS_ISA=v9: no such instruction-set level"});
  TestInfo();
  CHECK(std::strstr(OnnxActsInfo(), "\"isa\": null") != nullptr, "%s", OnnxActsInfo());
}

void TestEverything() {
  TestInfo();
  TestRegistration();
  TestRefusedRuntimes();
  for (const ort::CustomOp* op : RegisteredOps<Newest>()) {
    TestMaking(op);
    TestRefusedAttributes(op);
    TestComputing(op);
    TestInference(op);
  }
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char**) {
  count > 1 ? onnx_acts::fake::TestRefusedLevel() : onnx_acts::fake::TestEverything();
  std::printf("%ld failures put in\n", onnx_acts::fake::put_in);
  return FailureCount() != 0;
}
