// Kernels shared by many threads, each of which splits its tensors over more threads, on a runtime
// that a thread sanitizer understands: the fake one.

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "fakes/cases.h"
#include "fakes/fake_node.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

// Each runs the node once: a race that was put in showed every time, and sanitizers, counters and
// emulators make runs slow.
constexpr int kCallers = 4;
constexpr int kHelpers = 3;

// X and the slopes hold 1/2, with a minus sign for every other X.
void Fill(char* data, ort::ElementType type, int64_t count, bool alternate) {
  const std::size_t size = ElementSize(type);
  const int top = type == ort::kFloat16 ? 0x38 : 0x3f;
  for (int64_t i = 0; i < count; ++i, data += size) {
    data[size - 1] = static_cast<char>(alternate && i % 2 == 1 ? top | 0x80 : top);
  }
}

// What one caller owns; the kernel is shared.
struct Caller {
  FakeCall call;
  char* y;
  char* noise;
};

void Prepare(Caller& caller, ort::ElementType type, const Sizes& x) {
  const Sizes slope = {x.back()};
  Fill(caller.call.AddInput(type, x), type, Product(x), true);
  Fill(caller.call.AddInput(type, slope), type, Product(slope), false);
  caller.y = caller.call.AddOutput(type, x);
  caller.noise = caller.call.AddOutput(type, x);
  caller.call.context.threads = kHelpers;
}

void TestOp(const ort::CustomOp* op, const Sizes& x, int64_t training) {
  const ort::ElementType type = op->GetInputType(op, 0);
  const std::string what = NameOf(op) + ", x " + Text(x);
  ort::KernelInfo info;
  info.inputs = {{{type, {}}}, {{type, {}}}};
  info.attributes["training_mode"] = Integer(training);
  const FakeNode node(op, Newest::Api(), info);
  Caller callers[kCallers];
  std::vector<std::thread> threads;
  for (Caller& caller : callers) Prepare(caller, type, x);
  for (Caller& caller : callers) {
    threads.emplace_back([&] { CheckOk(node.Run(&caller.call.context), what); });
  }
  for (std::thread& thread : threads) thread.join();
  const std::size_t bytes = ByteCount(type, x);
  for (const Caller& caller : callers) {
    CHECK(std::memcmp(caller.y, callers[0].y, bytes) == 0, "Y: %s", what.c_str());
    CHECK(std::memcmp(caller.noise, callers[0].noise, bytes) == 0, "noise: %s", what.c_str());
  }
}

// The first registration of the process is among them.
TEST(Registration, "several threads register the library and ask what it is") {
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([] {
      ort::SessionOptions options;
      CheckOk(RegisterCustomOps(&options, &Newest::kBase), "registration");
      CHECK(options.domains.size() == 1, "one domain");
      CHECK(OnnxActsInfo() != nullptr, "information");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(SharedNodes, "threads share a node and its tensors, and all get the same bits") {
  for (const ort::CustomOp* op : RegisteredOps<Newest>()) {
    for (const int64_t training : {0, 1}) {
      TestOp(op, {7, 3}, training);
      TestOp(op, {300, 701}, training);
    }
  }
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  setenv("ONNX_ACTS_STREAM_FROM", "1000", 1);  // the larger tensors
  return RunTests(count, arguments);
}
