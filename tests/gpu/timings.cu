// How long each kernel takes, over the time of a device-to-device copy of the same bytes.

#include <algorithm>
#include <cmath>
#include <functional>

#include "harness.h"

namespace onnx_acts::gpu {
namespace {

constexpr uint32_t kSmall = 1u << 16;  // elements

// Normally distributed values, half of them negative.
template <class T>
__global__ void FillNormal(void* x, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const PhiloxBlock random = PhiloxForElements(3, i);
  const double u = (random.word[0] + 0.5) * 0x1p-32, angle = random.word[1] * 0x1p-32 * 6.2831853;
  const auto value = static_cast<float>(sqrt(-2 * log(u)) * cos(angle));
  static_cast<T*>(x)[i] = Storage<T>::Write(value);
}

// Any bits: every place of a table.
__global__ void FillBits(void* x, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) static_cast<uint32_t*>(x)[i] = PhiloxForElements(5, i).word[0];
}

class Stopwatch {
 public:
  Stopwatch() {
    CUDA(cudaStreamCreate(&stream_));
    CUDA(cudaEventCreate(&start_));
    CUDA(cudaEventCreate(&end_));
  }
  ~Stopwatch() {
    cudaEventDestroy(start_);
    cudaEventDestroy(end_);
    cudaStreamDestroy(stream_);
  }
  cudaStream_t stream() const { return stream_; }

  // Median microseconds of a call, over turns of `calls` calls each.
  double Median(int calls, const std::function<void()>& call) const {
    std::vector<double> times;
    for (int turn = -3; turn < kAmount.turns; ++turn) {
      CUDA(cudaEventRecord(start_, stream_));
      for (int i = 0; i < calls; ++i) call();
      CUDA(cudaEventRecord(end_, stream_));
      CUDA(cudaEventSynchronize(end_));
      float milliseconds = 0;
      CUDA(cudaEventElapsedTime(&milliseconds, start_, end_));
      if (turn >= 0) times.push_back(1e3 * milliseconds / calls);
    }
    std::nth_element(times.begin(), times.begin() + kAmount.turns / 2, times.end());
    return times[kAmount.turns / 2];
  }

  // The same of a graph's replay, which leaves the time of launching out.
  double MedianInGraph(int calls, const std::function<void()>& call) const {
    cudaGraph_t graph;
    cudaGraphExec_t ready;
    CUDA(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < calls; ++i) call();
    CUDA(cudaStreamEndCapture(stream_, &graph));
    CUDA(cudaGraphInstantiate(&ready, graph, 0));
    const double median = Median(1, [&] { CUDA(cudaGraphLaunch(ready, stream_)); }) / calls;
    cudaGraphExecDestroy(ready);
    cudaGraphDestroy(graph);
    return median;
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t start_, end_;
};

// Everything that one row needs.
struct Bench {
  device::Device device;
  Report& report;
  const Stopwatch& watch;
  char *x, *y;
  const uint16_t* table;
  const char* slopes;
  Element element = Element::kFloat32;
  uint32_t count = 0;
  double copy = 0;

  device::Stream stream() const { return {device, watch.stream()}; }

  void Add(const char* name, const std::function<void()>& call) const {
    const bool small = count == kSmall;
    const double time = small ? watch.MedianInGraph(100, call) : watch.Median(1, call);
    const double bytes = 2.0 * count * static_cast<double>(SizeOf(element));
    report.Add({{"what", "time"},
                {"kernel", name},
                {"type", NameOf(element)},
                {"elements", count},
                {"blocks_per_processor", kBlocksPerProcessor * device.processors / processors()},
                {"us", time},
                {"copy_us", copy},
                {"gb_per_s", bytes / time * 1e-3},
                {"of_copy", copy / time}});
  }

  uint32_t processors() const {
    int value = 0;
    CUDA(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, device.number));
    return static_cast<uint32_t>(value);
  }
};

void Uniform(const Bench& b, const char* name, Functor functor, double parameter) {
  const UniformArgs args = {b.x, b.y, b.count, static_cast<float>(parameter), parameter};
  b.Add(name, [&] { device::RunUniform(functor, b.element, args, b.stream()); });
}

void Slopes(const Bench& b, const char* name, const std::vector<int64_t>& x,
            const std::vector<int64_t>& slope) {
  const SlopeLayout layout = CollapseShapes(slope.data(), slope.size(), x.data(), x.size());
  const SlopeKind kind = KindOf(layout, PackOf(SizeOf(b.element)));
  const SlopeArgs args = {b.x, b.slopes, b.y, b.count, MakeSlopeMap(layout)};
  b.Add(name, [&] { device::RunSlopes(kind, b.element, args, b.stream()); });
}

// Whether a functor's 16-bit results come from a table; the rows follow Functor.
constexpr bool kHasTable[] = {
#define ONNX_ACTS_FUNCTOR(name) name::kFloatAccuracy<true> != FloatAccuracy::kExact,
#include "op_table.inc"
};

void Operators(const Bench& b) {
  const bool has_16_bits = SizeOf(b.element) == 2;
  for (const OpSpec& op : kOps) {
    if (op.source != Source::kNone && op.source != Source::kAttribute) continue;
    if (has_16_bits && kHasTable[static_cast<int>(op.functor)]) {
      const LookupArgs args = {b.x, b.y, b.count, b.table};
      b.Add(op.name, [&] { device::RunLookup(args, b.stream()); });
    } else {
      Uniform(b, op.name, op.functor, op.attributes[0].real_default);
    }
  }
  if (!has_16_bits) Uniform(b, "ELU, alpha 1.67", Functor::kElu, 1.6732632423543772);
  const int64_t count = b.count;
  Slopes(b, "PReLU, one slope", {count}, {1});
  Slopes(b, "PReLU, per channel", {count / 16384, 64, 16, 16}, {64, 1, 1});
  Slopes(b, "PReLU, last dimension", {count / 64, 64}, {64});
  const DrawArgs draw = {b.x, b.y, nullptr, b.count, 0, 5, 0.125, 0.2};
  b.Add("RReLU in training", [&] { device::RunDraw(b.element, draw, b.stream()); });
}

// Other inputs and numbers of blocks: how to choose kBlocksPerProcessor.
void Alternatives(Bench b) {
  for (const uint32_t divisor : {4u, 16u}) {
    b.device.processors = b.processors() / divisor;
    Uniform(b, "LeakyReLU", Functor::kNegativeSlope, 0.01);
    if (SizeOf(b.element) > 2) Uniform(b, "ELU", Functor::kElu, 1.0);
  }
  b.device.processors = b.processors();
  if (SizeOf(b.element) == 2) {
    Launch(FillBits, b.count / 2, static_cast<void*>(b.x), b.count / 2);
    const LookupArgs args = {b.x, b.y, b.count, b.table};
    b.Add("ELU, any bits", [&] { device::RunLookup(args, b.stream()); });
  }
}

}  // namespace

void MeasureTimes(const device::Device& device, Report& report) {
  const Stopwatch watch;
  const Memory x(kAmount.bytes), y(kAmount.bytes), slopes(1024),
      table(kTableEntries * sizeof(uint16_t));
  CUDA(cudaMemset(slopes.data(), 0x3c, 1024));
  CUDA(cudaMemset(table.data(), 0xb0, kTableEntries * sizeof(uint16_t)));
  CUDA(cudaMemset(y.data(), 0xff, kAmount.bytes));
  const auto* entries = reinterpret_cast<const uint16_t*>(table.data());
  for (int column = 0; column < kElementCount; ++column) {
    const auto element = static_cast<Element>(column);
    const auto most = static_cast<uint32_t>(kAmount.bytes / SizeOf(element));
    WithStorage(element,
                [&](auto zero) { Launch(FillNormal<decltype(zero)>, most, x.data(), most); });
    CUDA(cudaDeviceSynchronize());
    for (const uint32_t count : {most, kSmall}) {
      Bench b = {device, report, watch, x.data(), y.data(), entries, slopes.data(), element, count};
      const std::size_t bytes = count * SizeOf(element);
      const auto copy = [&] {
        CUDA(cudaMemcpyAsync(b.y, b.x, bytes, cudaMemcpyDeviceToDevice, watch.stream()));
      };
      b.copy = count == kSmall ? watch.MedianInGraph(100, copy) : watch.Median(1, copy);
      Operators(b);
      if (count == most) Alternatives(b);
    }
  }
}

}  // namespace onnx_acts::gpu
