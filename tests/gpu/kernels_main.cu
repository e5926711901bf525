// gpu_kernels [REPORT]: the CUDA kernels without ONNX Runtime. Compares them with the CPU's loops,
// bit by bit, and ELU with double; then measures. Exit status 1 where something is wrong. With
// --quick: no sweeps and no times, for compute-sanitizer.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "cpu/loops.h"
#include "harness.h"

namespace onnx_acts {

#define ONNX_ACTS_LEVEL(name, table, supported) extern const Loops table;
#include "levels.inc"
#undef ONNX_ACTS_LEVEL

namespace gpu {
namespace {

// The lowest level runs everywhere; in what is compared here all give the same bits.
const Loops& CpuLoops() {
  static const Loops* const loops[] = {
#define ONNX_ACTS_LEVEL(name, table, supported) &table,
#include "levels.inc"
#undef ONNX_ACTS_LEVEL
  };
  return *loops[0];
}

using Bytes = std::vector<char>;

bool IsNan(Element element, const char* at) {
  bool nan = false;
  WithStorage(element, [&](auto value) {
    std::memcpy(&value, at, sizeof value);
    nan = std::isnan(Storage<decltype(value)>::Read(value));
  });
  return nan;
}

// How many elements differ; any NaN is like any other.
int64_t Differences(Element element, const Bytes& got, const Bytes& want) {
  const std::size_t size = SizeOf(element);
  int64_t count = 0;
  for (std::size_t i = 0; i < want.size(); i += size) {
    const bool same = std::memcmp(&got[i], &want[i], size) == 0;
    count += !same && !(IsNan(element, &got[i]) && IsNan(element, &want[i]));
  }
  return count;
}

// Random bit patterns: every exponent, NaN, infinities and subnormal numbers; and everyday values.
Bytes Values(Element element, int64_t count, uint32_t seed) {
  const std::size_t size = SizeOf(element);
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Bytes bytes(static_cast<std::size_t>(count) * size);
  for (std::size_t i = 0; i < bytes.size(); i += size) {
    uint64_t bits = random();
    if (random() % 2 == 0) {
      WithStorage(element, [&](auto value) {
        using S = Storage<decltype(value)>;
        value = S::Write(static_cast<typename S::Real>(normal(random)));
        std::memcpy(&bits, &value, sizeof value);
      });
    }
    std::memcpy(&bytes[i], &bits, size);
  }
  return bytes;
}

// Every value of a 16-bit type.
Bytes AllValues() {
  Bytes bytes(2 * 65536);
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    std::memcpy(&bytes[2 * i], &bits, 2);
  }
  return bytes;
}

// A tensor on the device, `shift` bytes past an aligned address, poisoned around.
class Tensor {
 public:
  Tensor(const Bytes& content, std::size_t shift)
      : size_(content.size()), shift_(shift), memory_(kMargin + shift + size_ + kMargin) {
    CUDA(cudaMemset(memory_.data(), 0xa5, kMargin + shift_ + size_ + kMargin));
    CUDA(cudaMemcpy(data(), content.data(), size_, cudaMemcpyHostToDevice));
  }
  char* data() const { return memory_.data() + kMargin + shift_; }
  Bytes Content() const {
    Bytes content(size_);
    CUDA(cudaMemcpy(content.data(), data(), size_, cudaMemcpyDeviceToHost));
    return content;
  }
  bool Untouched() const {
    Bytes all(kMargin + shift_ + size_ + kMargin);
    CUDA(cudaMemcpy(all.data(), memory_.data(), all.size(), cudaMemcpyDeviceToHost));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool inside = i >= kMargin + shift_ && i < kMargin + shift_ + size_;
      if (!inside && all[i] != static_cast<char>(0xa5)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kMargin = 256;
  std::size_t size_, shift_;
  Memory memory_;
};

struct Context {
  const device::Device& device;
  Report& report;
  device::Stream stream() const { return {device, nullptr}; }

  // How many elements of `tried` had other bits than on the CPU.
  void Add(const char* functor, Element element, int64_t tried, int64_t wrong) const {
    report.Add({{"what", "bits as on the CPU"},
                {"functor", functor},
                {"type", NameOf(element)},
                {"elements", tried},
                {"different", wrong}},
               wrong == 0);
  }
};

uint32_t CountOf(Element element, const Bytes& bytes) {
  return static_cast<uint32_t>(bytes.size() / SizeOf(element));
}

// One functor on one input: out of place at a shifted address, or in place.
int64_t UniformDifferences(const Context& context, Functor functor, Element element,
                           double parameter, const Bytes& x, std::size_t shift, bool in_place) {
  const uint32_t count = CountOf(element, x);
  Bytes want(x.size());
  const auto loop = CpuLoops().Of(element).uniform[static_cast<int>(functor)];
  loop(x.data(), want.data(), count, parameter);
  const Tensor from(x, shift * SizeOf(element)), to(Bytes(x.size(), 0x5a), 0);
  const Tensor& y = in_place ? from : to;
  const UniformArgs args = {from.data(), y.data(), count, static_cast<float>(parameter), parameter};
  device::RunUniform(functor, element, args, context.stream());
  CUDA(cudaDeviceSynchronize());
  return Differences(element, y.Content(), want) + (from.Untouched() && to.Untouched() ? 0 : 1);
}

void CheckLeakyFamily(const Context& context, Functor functor, const char* name) {
  const double parameters[] = {0.01,  0.25, 11.0 / 48, -0.7, 1 + 3.0 / 256, 1 + 3.0 / 2048,
                               1e-38, 1e38, 0.0,       -0.0, INFINITY,      NAN};
  for (int column = 0; column < kElementCount; ++column) {
    const auto element = static_cast<Element>(column);
    int64_t wrong = 0, tried = 0;
    std::vector<Bytes> inputs;
    for (const int64_t count : {1, 2, 7, 8, 9, 63, 4099, 300007}) {
      inputs.push_back(Values(element, count, static_cast<uint32_t>(count)));
    }
    if (SizeOf(element) == 2) inputs.push_back(AllValues());
    for (const Bytes& x : inputs) {
      for (const double parameter : parameters) {
        for (const std::size_t shift : {0u, 1u, 3u}) {
          for (const bool in_place : {false, true}) {
            wrong += UniformDifferences(context, functor, element, parameter, x, shift, in_place);
            tried += CountOf(element, x);
          }
        }
      }
    }
    context.Add(name, element, tried, wrong);
  }
}

// 16-bit ELU, every value.
void CheckLookup(const Context& context, Functor functor, Element element) {
  int64_t wrong = 0, tried = 0;
  for (const double alpha : {1.0, 1.6732632423543772, 1e-6, -0.7, 7e4}) {
    const Bytes all = AllValues();
    Bytes table(all.size());
    const auto loop = CpuLoops().Of(element).uniform[static_cast<int>(functor)];
    loop(all.data(), table.data(), 65536, alpha);
    const Tensor lower(Bytes(table.begin() + 65536, table.end()), 0);
    const auto* entries = reinterpret_cast<const uint16_t*>(lower.data());
    for (const uint32_t copies : {1u, kAmount.table_copies}) {
      Bytes x, want;
      for (uint32_t i = 0; i < copies; ++i) {
        x.insert(x.end(), all.begin(), all.end());
        want.insert(want.end(), table.begin(), table.end());
      }
      x.resize(x.size() - 6);  // an odd tail
      want.resize(x.size());
      const Tensor from(x, 0), to(Bytes(x.size(), 0x5a), 0);
      device::RunLookup({from.data(), to.data(), CountOf(element, x), entries}, context.stream());
      CUDA(cudaDeviceSynchronize());
      wrong += Differences(element, to.Content(), want) + (to.Untouched() ? 0 : 1);
      tried += CountOf(element, x);
    }
  }
  context.Add("by table", element, tried, wrong);
}

using Sizes = std::vector<int64_t>;

int64_t Product(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

// The slope of each element, laid out as x is.
Bytes Expanded(Element element, const SlopeLayout& layout, int64_t count, const Bytes& slopes) {
  const std::size_t size = SizeOf(element);
  Bytes expanded(static_cast<std::size_t>(count) * size);
  for (int64_t i = 0; i < count; ++i) {
    const SlopeCursor cursor(layout, i);
    std::memcpy(&expanded[static_cast<std::size_t>(i) * size],
                &slopes[static_cast<std::size_t>(cursor.slope()) * size], size);
  }
  return expanded;
}

int64_t SlopeDifferences(const Context& context, Element element, const Sizes& x_sizes,
                         const Sizes& slope_sizes, std::size_t shift) {
  const std::size_t size = SizeOf(element);
  const int64_t count = Product(x_sizes);
  const SlopeLayout layout =
      CollapseShapes(slope_sizes.data(), slope_sizes.size(), x_sizes.data(), x_sizes.size());
  const Bytes x = Values(element, count, 5), slopes = Values(element, Product(slope_sizes), 6);
  const Bytes expanded = Expanded(element, layout, count, slopes);
  Bytes want(x.size());
  const auto loop = CpuLoops().Of(element).each_slope;
  loop(x.data(), expanded.data(), want.data(), count);
  const Tensor from(x, shift * size), parameter(slopes, shift * size);
  const Tensor to(Bytes(x.size(), 0x5a), 0);
  const SlopeArgs args = {from.data(), parameter.data(), to.data(), static_cast<uint32_t>(count),
                          MakeSlopeMap(layout)};
  device::RunSlopes(KindOf(layout, PackOf(SizeOf(element))), element, args, context.stream());
  CUDA(cudaDeviceSynchronize());
  return Differences(element, to.Content(), want) + (to.Untouched() ? 0 : 1);
}

void CheckSlopes(const Context& context) {
  const std::pair<Sizes, Sizes> rows[] = {
      {{2, 64, 40, 40}, {64, 1, 1}},
      {{3, 200, 7, 7}, {200, 1, 1}},
      {{30, 50, 2, 2}, {50, 1, 1}},
      {{5000, 3}, {3}},
      {{400, 160}, {160}},
      {{40, 43}, {40, 43}},
      {{400, 400}, {}},
      {{3, 4, 5, 6}, {4, 1, 6}},
      {{}, {}},
  };
  for (int column = 0; column < kElementCount; ++column) {
    const auto element = static_cast<Element>(column);
    int64_t wrong = 0, tried = 0;
    for (const auto& [x, slope] : rows) {
      for (const std::size_t shift : {0u, 1u, 3u}) {
        wrong += SlopeDifferences(context, element, x, slope, shift);
        tried += Product(x);
      }
    }
    context.Add("slopes", element, tried, wrong);
  }
}

// Y and the noise of draws from [lower, lower + width).
int64_t DrawDifferences(const Context& context, Element element, int64_t count, double lower,
                        double width) {
  const uint64_t seed = 0x123456789abcdef0;
  const int64_t first = int64_t{1} << 36;
  const Bytes x = Values(element, count, 9);
  Bytes slopes(x.size()), want_noise(x.size()), want_y(x.size());
  CpuLoops().Of(element).draw(seed, first, count, lower, width, slopes.data());
  CpuLoops().Of(element).noise(x.data(), slopes.data(), want_noise.data(), count);
  CpuLoops().Of(element).each_slope(x.data(), slopes.data(), want_y.data(), count);
  const Tensor from(x, 0), y(x, 0), noise(x, SizeOf(element));
  const DrawArgs args = {from.data(),
                         y.data(),
                         noise.data(),
                         static_cast<uint32_t>(count),
                         static_cast<uint64_t>(first / 4),
                         seed,
                         lower,
                         width};
  device::RunDraw(element, args, context.stream());
  CUDA(cudaDeviceSynchronize());
  return Differences(element, y.Content(), want_y) +
         Differences(element, noise.Content(), want_noise) +
         (y.Untouched() && noise.Untouched() ? 0 : 1);
}

void CheckDraws(const Context& context) {
  // The last ones are where float has no bounds for a draw: subnormal, infinite, none.
  const std::pair<double, double> ranges[] = {
      {0.1, 0.3},     {1 / 8.0, 5 / 24.0}, {0.0, 1.0},        {-0.5, 1.0},
      {1e-6, 1e-7},   {3e4, 9e4},          {-1e-3, 1e-40},    {0.25, 0.0},
      {1e-41, 3e-41}, {0.0, 0.0},          {-1e300, 1.5e300}, {NAN, NAN},
  };
  for (int column = 0; column < kElementCount; ++column) {
    const auto element = static_cast<Element>(column);
    int64_t wrong = 0, tried = 0;
    for (const auto& [lower, width] : ranges) {
      for (const int64_t count : {1, 5, 64, 100003}) {
        wrong += DrawDifferences(context, element, count, lower, width);
        tried += count;
      }
    }
    context.Add("draws", element, tried, wrong);
  }
}

// Numbers of the same size and sign are as far apart as their bits; a NaN is near a NaN alone.
template <class Bits, class Real>
bool IsNear(Real a, Real b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  constexpr Bits kApart = 4;  // ULP: each is within the promise of its operator, two at most
  const Bits x = BitCast<Bits>(a), y = BitCast<Bits>(b);
  return (x < 0) == (y < 0) ? std::abs(x - y) <= kApart : a == b;
}

template <class Bits, class Real>
int64_t Distant(const Bytes& got, const Bytes& want) {
  int64_t count = 0;
  for (std::size_t i = 0; i < got.size(); i += sizeof(Real)) {
    Real a, b;
    std::memcpy(&a, &got[i], sizeof a);
    std::memcpy(&b, &want[i], sizeof b);
    count += IsNear<Bits>(a, b) ? 0 : 1;
  }
  return count;
}

// Curves in float32 and float64, with the operator's default: near what the CPU computes, whose
// accuracy is measured; it need not have the instructions that make the same bits.
void CheckCurve(const Context& context, const OpSpec& op, Element element) {
  const double parameter = op.attributes[0].real_default;
  int64_t wrong = 0, tried = 0;
  for (const int64_t count : {1, 9, 300007}) {
    const Bytes x = Values(element, count, static_cast<uint32_t>(count));
    Bytes want(x.size());
    CpuLoops().Of(element).uniform[static_cast<int>(op.functor)](x.data(), want.data(), count,
                                                                 parameter);
    const Tensor from(x, 0), to(Bytes(x.size(), 0x5a), 0);
    const UniformArgs args = {from.data(), to.data(), static_cast<uint32_t>(count),
                              static_cast<float>(parameter), parameter};
    device::RunUniform(op.functor, element, args, context.stream());
    CUDA(cudaDeviceSynchronize());
    wrong += element == Element::kFloat32 ? Distant<int32_t, float>(to.Content(), want)
                                          : Distant<int64_t, double>(to.Content(), want);
    tried += count;
  }
  context.report.Add({{"what", "near the CPU"},
                      {"operator", op.name},
                      {"type", NameOf(element)},
                      {"elements", tried},
                      {"further than 4 ULP", wrong}},
                     wrong == 0);
}

// One functor of the table: the bits of products in every type; of curves those of 16-bit results.
template <class F>
void CheckFunctor(const Context& context, Functor functor, const char* name) {
  if (F::template kFloatAccuracy<false> <= FloatAccuracy::kNearest) {
    CheckLeakyFamily(context, functor, name);
  } else {
    CheckLookup(context, functor, Element::kFloat16);
    CheckLookup(context, functor, Element::kBFloat16);
    for (const OpSpec& op : kOps) {
      if (op.functor != functor || op.source != Source::kAttribute) continue;
      CheckCurve(context, op, Element::kFloat32);
      CheckCurve(context, op, Element::kFloat64);
    }
  }
}

}  // namespace

void CheckAgainstCpu(const device::Device& device, Report& report) {
  const Context context = {device, report};
#define ONNX_ACTS_FUNCTOR(name) CheckFunctor<name>(context, Functor::k##name, #name);
#include "op_table.inc"
  CheckSlopes(context);
  CheckDraws(context);
}

}  // namespace gpu
}  // namespace onnx_acts

int main(int argc, char** argv) {
  using namespace onnx_acts;
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  const device::Support& support = device::Find();
  if (!support.usable) {
    std::fprintf(stderr, "gpu_kernels: %s\n", support.reason.c_str());
    return 2;
  }
  gpu::Report report;
  const device::Device device = device::Current();
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, device.number));
  int driver = 0, runtime = 0;
  CUDA(cudaDriverGetVersion(&driver));
  CUDA(cudaRuntimeGetVersion(&runtime));
  report.Add(
      {{"what", "device"},
       {"name", properties.name},
       {"capability", std::to_string(properties.major) + "." + std::to_string(properties.minor)},
       {"processors", device.processors},
       {"driver", driver},
       {"runtime", runtime}});
  gpu::CheckAgainstCpu(device, report);
  if (!quick) {
    gpu::SweepElu(device, report);
    gpu::MeasureTimes(device, report);
  }
  if (argc > 1 && !quick) {
    std::FILE* file = std::fopen(argv[1], "w");
    if (file == nullptr || std::fprintf(file, "%s\n", report.Text().c_str()) < 0 ||
        std::fclose(file) != 0) {
      std::perror(argv[1]);
      return 2;
    }
  }
  return report.ok() ? 0 : 1;
}
