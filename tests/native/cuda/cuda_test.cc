// What the library asks of CUDA's runtime, on a runtime of the tests' own: every call failing in
// turn, captured graphs, several devices, devices that it has no code for.

#include <algorithm>
#include <cmath>

#include "controls.h"
#include "cuda/loop_on_host.cc"
#include "fakes/cases.h"
#include "fakes/fake_node.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;
using host_cuda::Current;
using host_cuda::Device;

double lower = 0.25;
long put_in = 0;  // failures so far

ort::KernelInfo Info(bool training) {
  ort::KernelInfo info;
  info.name = "act";
  info.attributes["training_mode"] = Integer(training);
  info.attributes["lower"] = OneDouble(&lower);
  info.inputs = {{{ort::kFloat, {-1, 3, 4}}}, {{ort::kFloat, {3, 1}}}};
  return info;
}

// Tensors of one call: x at random, slopes, and outputs that say that nothing has been written.
class Tensors {
 public:
  Tensors(const ort::CustomOp* op, int64_t rows) {
    type_ = op->GetInputType(op, 0);
    const Sizes sizes = {rows, 3, 40};
    bytes_ = ByteCount(type_, sizes);
    x_ = call_.AddInput(type_, sizes);
    char* const slopes = call_.AddInput(type_, {3, 1});
    Fill(slopes, 3 * ElementSize(type_), 99);
    y_ = call_.AddOutput(type_, sizes);
    noise_ = call_.AddOutput(type_, sizes);
    Renew(1);
  }

  // Other values in x, and outputs as if never written.
  void Renew(uint32_t seed) {
    Fill(x_, bytes_, seed);
    std::memset(y_, kUnwritten, bytes_);
    std::memset(noise_, kUnwritten, bytes_);
  }

  // Every byte of the outputs.
  std::string Results() const { return std::string(y_, bytes_) + std::string(noise_, bytes_); }
  bool Unwritten() const { return Results() == std::string(2 * bytes_, kUnwritten); }
  ort::KernelContext* context() { return &call_.context; }

 private:
  static constexpr char kUnwritten = 0x5a;

  // Bytes that are numbers between -4 and 4 or so in every type.
  void Fill(char* to, std::size_t bytes, uint32_t seed) {
    const std::size_t size = ElementSize(type_);
    for (std::size_t i = 0; i < bytes; ++i) {
      seed = seed * 1664525 + 1013904223;
      to[i] = static_cast<char>(seed >> 24);
      if (i % size == size - 1) to[i] = static_cast<char>((to[i] & 0x80) | 0x3f);
    }
  }

  ort::ElementType type_;
  std::size_t bytes_;
  FakeCall call_;
  char *x_, *y_, *noise_;
};

// As many rows as take one launch, and several.
constexpr int64_t kRows[] = {1, 100};

std::string RunOnce(const FakeNode& node, Tensors& tensors) {
  return Take(node.Run(tensors.context()));
}

void CheckRefusal(const std::string& message, long call) {
  const bool named = message.find("'act'") != std::string::npos;
  const bool said = message.find("CUDA: ") != std::string::npos &&
                    message.find("cudaErrorLaunchOutOfResources (") != std::string::npos;
  CHECK(named && said, "call %ld: '%s'", call, message.c_str());
  CHECK(cudaGetLastError() == cudaSuccess, "call %ld: an error stays behind", call);
}

// Makes and runs a node with call number `failing` failing; whether it came to that call.
bool FailCall(const ort::CustomOp* op, const ort::KernelInfo& info, int64_t rows, long failing) {
  Tensors tensors(op, rows);
  Current().calls = 0;
  Current().failing = failing;
  FakeNode node(op, Newest::Api(), info);
  const std::string message =
      node.kernel() != nullptr ? RunOnce(node, tensors) : Take(node.TakeStatus());
  const bool failed = failing != 0 && Current().calls >= failing;
  Current().failing = 0;
  put_in += failed;
  if (failed) {
    CheckRefusal(message, failing);
  } else {
    CHECK(message.empty(), "%s: %s", NameOf(op).c_str(), message.c_str());
  }
  return failed;
}

void CheckEachCallFails(const ort::CustomOp* op) {
  for (const bool training : {false, true}) {
    for (const int64_t rows : kRows) {
      long failing = 0;
      do {
        CHECK(host_cuda::Allocations() == 0, "device memory left after call %ld", failing);
        ++failing;
      } while (FailCall(op, Info(training), rows, failing));
      CHECK(failing > 3, "%s: %ld calls", NameOf(op).c_str(), failing - 1);
      FailCall(op, Info(training), rows, 0);
    }
  }
}

// Under capture nothing is computed, allocated or waited for (host_cuda refuses that); a replay
// computes from what is in x then.
void CheckCapture(const ort::CustomOp* op) {
  for (const bool training : {false, true}) {
    for (const int64_t rows : kRows) {
      const FakeNode node(op, Newest::Api(), Info(training));
      Tensors tensors(op, rows);
      cudaStream_t stream;
      cudaGraph_t graph;
      cudaGraphExec_t ready;
      cudaStreamCreate(&stream);
      tensors.context()->stream = stream;
      cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
      const std::string message = RunOnce(node, tensors);
      CHECK(message.empty(), "%s: status '%s'", NameOf(op).c_str(), message.c_str());
      CHECK(cudaStreamEndCapture(stream, &graph) == cudaSuccess, "not captured");
      CHECK(tensors.Unwritten(), "%s computed at once", NameOf(op).c_str());
      cudaGraphInstantiate(&ready, graph, 0);
      for (const uint32_t seed : {2u, 3u}) {
        tensors.Renew(seed);
        cudaGraphLaunch(ready, stream);
        const std::string replayed = tensors.Results();
        tensors.Renew(seed);
        RunOnce(node, tensors);
        CHECK(!tensors.Unwritten() && replayed == tensors.Results(), "%s: other bits at a replay",
              NameOf(op).c_str());
      }
      cudaGraphExecDestroy(ready);
      cudaGraphDestroy(graph);
      cudaStreamDestroy(stream);
    }
  }
}

// A node computes on the device that was current when it was made, and leaves the caller's.
void CheckOtherDevice(const ort::CustomOp* op) {
  Current().devices = {Device{90, 2}, Device{90, 4}};
  cudaSetDevice(1);
  Tensors tensors(op, 100);
  const FakeNode node(op, Newest::Api(), Info(true));
  cudaSetDevice(0);
  CheckOk(node.Run(tensors.context()), NameOf(op));
  int device = -1;
  cudaGetDevice(&device);
  CHECK(Current().launched_on == 1 && device == 0, "on %d, then %d", Current().launched_on, device);
  Current() = {};
}

std::string ReasonOn(const std::vector<Device>& devices, bool initialised = true) {
  Current().devices = devices;
  Current().initialised = initialised;
  const device::Support support = FindDevice();
  CHECK(support.usable == support.reason.empty(), "'%s'", support.reason.c_str());
  Current() = {};
  return support.reason;
}

void CheckReason(const std::string& reason, const char* part) {
  CHECK(reason.find(part) != std::string::npos, "'%s', expected '%s'", reason.c_str(), part);
}

TEST(Devices, "a device is used, or it is said why not") {
  CHECK(ReasonOn({Device{75, 1}}).empty(), "there is code for it");
  CHECK(ReasonOn({Device{90, 1}}).empty(), "there is code for it");
  CHECK(ReasonOn({Device{121, 1}}).empty(), "newer than the newest: PTX serves it");
  CHECK(ReasonOn({Device{70, 1}, Device{90, 1}}).empty(), "the second one is enough");
  CheckReason(ReasonOn({}), "cudaErrorNoDevice (");
  CheckReason(ReasonOn({Device{90, 1}}, false), "cudaErrorInitializationError (");
  CheckReason(ReasonOn({Device{90, 1}}, false), "start it with 'spawn'");
  const char* const unknown =
      "no kernel for device 0, whose compute capability is 8.0 (this library has code for 7.5, "
      "9.0); build onnx-acts from source with -DONNX_ACTS_CUDA_ARCHITECTURES";
  CheckReason(ReasonOn({Device{80, 1}}), unknown);
  CheckReason(ReasonOn({Device{72, 1}}), "whose compute capability is 7.2");
}

// A node that is made where there is no code for the device.
void CheckUnknownDevice(const ort::CustomOp* op) {
  Current().devices = {Device{80, 1}};
  FakeNode node(op, Newest::Api(), Info(false));
  const std::string message = Take(node.TakeStatus());
  CHECK(node.kernel() == nullptr, "%s was made", NameOf(op).c_str());
  CheckReason(message, "node 'act'");
  CheckReason(message, "CUDA: no kernel for device 0");
  Current() = {};
}

void ForEachOp(void (*check)(const ort::CustomOp*)) {
  for (const ort::CustomOp* op : RegisteredOps<Newest>()) check(op);
  CHECK(host_cuda::Allocations() == 0, "device memory left");
}

TEST(EachCallFails, "a call of CUDA's that fails comes back in words and leaves nothing behind") {
  ForEachOp(CheckEachCallFails);
}

TEST(Capture, "a captured graph computes at its replays, and only then") {
  ForEachOp(CheckCapture);
}

TEST(OtherDevice, "a node computes on the device that it was made on, and leaves the caller's") {
  ForEachOp(CheckOtherDevice);
}

TEST(UnknownDevice, "no node is made for a device that there is no code for") {
  ForEachOp(CheckUnknownDevice);
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  const int status = RunTests(count, arguments);
  std::printf("%ld failures put in\n", onnx_acts::fake::put_in);
  return status;
}
