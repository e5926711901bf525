// Float32: the leaky family must give the correctly rounded value, ELU is measured. The oracles are
// arithmetic in double and the C library's expm1, no text of custom_ops.

#include <cmath>
#include <iterator>

#include "accuracy/accuracy_sweep.h"

namespace onnx_acts {
namespace {

constexpr int kRelu = static_cast<int>(Functor::kRelu);
constexpr int kNegativeSlope = static_cast<int>(Functor::kNegativeSlope);
constexpr int kElu = static_cast<int>(Functor::kElu);

// Everyday slopes; the longest significand; one whose products are mostly subnormal, one whose
// products mostly overflow.
constexpr double kSlopes[] = {0.01, 0.25, 11.0 / 48, -0.7, 1.5, 1 + 0x1p-23, 3e-38, 1e38};
constexpr int kSlopeCount = static_cast<int>(std::size(kSlopes));

// Powers of two (1 and 0.5) take a shorter way; SELU's alpha; the longest significand; one whose
// products lie just above the subnormal numbers, one on both sides, a subnormal one, a huge one.
constexpr double kAlphas[] = {1.0,       1.6732632423543772, 0.5,   0.1,   0.3, -0.7,
                              1.9999999, 0x1.040ca8p-124,    1e-38, 1e-44, 3e38};
constexpr int kAlphaCount = static_cast<int>(std::size(kAlphas));
constexpr int kAlphasEverywhere = 2;  // the first few also meet x >= 0 and the loops' tails

// Odd, so that every call ends in a tail and stretches begin at any address.
constexpr int64_t kBlock = 2047;
constexpr uint64_t kAllFloats = uint64_t{1} << 32;

float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint64_t BlockCount(const Sweep& sweep) {
  return (kAllFloats / sweep.stride + kBlock - 1) / kBlock;
}

// The inputs of one block; their number. The sweep takes the first bit pattern of the first stride,
// the second of the second and so on, so that the low bits vary too.
int64_t FillInputs(const Sweep& sweep, uint64_t block, float* x) {
  const uint64_t total = kAllFloats / sweep.stride;
  const uint64_t first = block * static_cast<uint64_t>(kBlock);
  const uint64_t n = std::min(static_cast<uint64_t>(kBlock), total - first);
  for (uint64_t i = 0; i < n; ++i) {
    const uint64_t bits = (first + i) * sweep.stride + ((first + i) & (sweep.stride - 1));
    x[i] = FromBits(static_cast<uint32_t>(bits));
  }
  return static_cast<int64_t>(n);
}

// Computes a block in one call and, if `tails`, again in short ones; compares the bits.
template <class Loop>
void Check(const float* x, const float* want, float* y, int64_t n, bool tails, Tally* tally,
           const Loop& loop) {
  loop(0, n);
  CompareBits(x, y, want, n, tally);
  if (!tails) return;
  std::fill(y, y + n, 77.0f);
  InShortCalls(n, loop);
  CompareBits(x, y, want, n, tally);
}

// The product of two float32 numbers is exact in double and rounded once. Bits pass through where
// x is not negative, those of NaN too.
void ScaleNegative(const float* x, const float* slopes, float* want, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double product = static_cast<double>(slopes[i]) * static_cast<double>(x[i]);
    want[i] = x[i] < 0 ? static_cast<float>(product) : x[i];
  }
}

struct LeakyState {
  LeakyState() {
    for (int i = 0; i < kBlock + kSlopeCount; ++i) {
      mixed[i] = static_cast<float>(kSlopes[i % kSlopeCount]);
    }
  }

  float x[kBlock + 1], y[kBlock + 1], want[kBlock], equal[kBlock], mixed[kBlock + kSlopeCount];
  Tally relu, uniform[kSlopeCount], sloped[kSlopeCount];
};

void CheckRelu(const Sweep& sweep, LeakyState& s, const float* x, int64_t n) {
  float* y = s.y + 1;
  for (int64_t i = 0; i < n; ++i) s.want[i] = x[i] < 0 ? 0.0f : x[i];
  s.relu.inputs += static_cast<uint64_t>(n);
  for (const Target& target : sweep.targets) {
    const auto run = target.loops->Of(Element::kFloat32).uniform[kRelu];
    Check(x, s.want, y, n, true, &s.relu,
          [=](int64_t at, int64_t size) { run(x + at, y + at, size, 0.0); });
  }
}

// One slope for all elements: an attribute (LeakyReLU, RReLU) or a tensor (PReLU).
void CheckOneSlope(const Sweep& sweep, LeakyState& s, const float* x, int64_t n, int which,
                   bool tails) {
  const double parameter = kSlopes[which];
  const float slope = static_cast<float>(parameter);
  float* y = s.y + 1;
  std::fill(s.equal, s.equal + n, slope);
  ScaleNegative(x, s.equal, s.want, n);
  for (const Target& target : sweep.targets) {
    const auto uniform = target.loops->Of(Element::kFloat32).uniform[kNegativeSlope];
    Check(x, s.want, y, n, tails, &s.uniform[which],
          [=](int64_t at, int64_t size) { uniform(x + at, y + at, size, parameter); });
    const auto one = target.loops->Of(Element::kFloat32).one_slope;
    Check(x, s.want, y, n, tails, &s.sloped[which],
          [=](int64_t at, int64_t size) { one(x + at, &slope, y + at, size); });
  }
}

// A slope for each element: neighbours differ, and every x meets every slope in its turn.
void CheckEachSlope(const Sweep& sweep, LeakyState& s, const float* x, int64_t n, int turn,
                    bool tails) {
  float* y = s.y + 1;
  const float* slopes = s.mixed + turn;
  ScaleNegative(x, slopes, s.want, n);
  for (const Target& target : sweep.targets) {
    const auto each = target.loops->Of(Element::kFloat32).each_slope;
    Check(x, s.want, y, n, tails, &s.sloped[turn],
          [=](int64_t at, int64_t size) { each(x + at, slopes + at, y + at, size); });
  }
}

void CheckLeakyBlock(const Sweep& sweep, uint64_t block, LeakyState& s) {
  float* x = s.x + 1;
  const int64_t n = FillInputs(sweep, block, x);
  CheckRelu(sweep, s, x, n);
  for (int i = 0; i < kSlopeCount; ++i) {
    // Short calls are slow: each x takes them with one slope.
    const bool tails = block % kSlopeCount == static_cast<uint64_t>(i);
    CheckOneSlope(sweep, s, x, n, i, tails);
    CheckEachSlope(sweep, s, x, n, i, tails);
    s.uniform[i].inputs += static_cast<uint64_t>(n);
    s.sloped[i].inputs += static_cast<uint64_t>(n);
  }
}

struct EluState {
  float x[kBlock + 1], y[kBlock + 1], other[kBlock + 1];
  double truth[kBlock];
  int32_t errors[kBlock];
  Tally tallies[kAlphaCount];
};

// The error of y in units in the last place of float32 at `truth`, if x < 0, as the bits of a float
// (which are ordered like the floats >= 0). Huge where y is NaN, has the wrong sign, or is not x
// for another x. Plain arithmetic, for vector code.
int32_t ErrorBits(float x, float y, double truth) {
  uint64_t bits;
  uint32_t x_bits, y_bits;
  std::memcpy(&bits, &truth, sizeof bits);
  std::memcpy(&x_bits, &x, sizeof x_bits);
  std::memcpy(&y_bits, &y, sizeof y_bits);
  const uint64_t power_bits = bits & 0x7ff0000000000000u;
  double power;
  std::memcpy(&power, &power_bits, sizeof power);
  power = power < 0x1p-126 ? 0x1p-126 : power;
  const double error = std::fabs(static_cast<double>(y) - truth) / power * 0x1p23;
  const float small = static_cast<float>(error);
  int32_t result;
  std::memcpy(&result, &small, sizeof result);
  constexpr int32_t kHuge = 0x7f800000;
  const bool same_sign = (bits >> 63) == (y_bits >> 31);
  result = same_sign ? result : kHuge;
  return x < 0 ? result : x_bits == y_bits ? 0 : kHuge;
}

void Measure(const EluState& s, const float* x, const float* y, int64_t n, double alpha,
             int32_t* errors, Tally* tally) {
  int32_t worst = 0;
  for (int64_t i = 0; i < n; ++i) {
    errors[i] = ErrorBits(x[i], y[i], alpha * s.truth[i]);
    worst = worst < errors[i] ? errors[i] : worst;
  }
  const float error = FromBits(static_cast<uint32_t>(worst));
  if (static_cast<double>(error) <= tally->worst) return;
  tally->worst = error < 1e9f ? static_cast<double>(error) : 1e9;
  tally->at = static_cast<double>(x[std::find(errors, errors + n, worst) - errors]);
}

// How thoroughly a block is checked at one alpha.
struct Care {
  bool all_targets;  // else the first alone
  bool tails;
};

void CheckElu(const Sweep& sweep, EluState& s, const float* x, int64_t n, int which, Care care) {
  const double parameter = kAlphas[which];
  const double alpha = static_cast<double>(static_cast<float>(parameter));
  float *y = s.y + 1, *other = s.other + 1;
  Tally* tally = &s.tallies[which];
  const auto best = sweep.targets[0].loops->Of(Element::kFloat32).uniform[kElu];
  best(x, y, n, parameter);
  Measure(s, x, y, n, alpha, s.errors, tally);
  tally->inputs += static_cast<uint64_t>(n);
  if (!care.all_targets) return;
  for (const Target& target : sweep.targets) {
    const auto run = target.loops->Of(Element::kFloat32).uniform[kElu];
    Check(x, y, other, n, care.tails, tally,
          [=](int64_t at, int64_t size) { run(x + at, other + at, size, parameter); });
  }
}

void CheckEluBlock(const Sweep& sweep, uint64_t block, EluState& s) {
  float* x = s.x + 1;
  const int64_t n = FillInputs(sweep, block, x);
  const bool any_negative = std::any_of(x, x + n, [](float v) { return std::signbit(v); });
  for (int64_t i = 0; i < n; ++i) s.truth[i] = x[i] < 0 ? std::expm1(static_cast<double>(x[i])) : 0;
  const int alphas = any_negative ? kAlphaCount : kAlphasEverywhere;
  for (int i = 0; i < alphas; ++i) {
    // In a full sweep each x meets all targets with the first alphas and with some of the others.
    const bool first = i < kAlphasEverywhere;
    const bool chosen = block % 8 == static_cast<uint64_t>(i % 8);
    const bool tails = first && (any_negative || sweep.thin());
    CheckElu(sweep, s, x, n, i, {first || chosen || sweep.thin(), tails});
  }
}

template <class State>
Tally Total(const std::vector<State>& states, Tally State::* tally) {
  Tally total;
  for (const State& state : states) total.Add(state.*tally);
  return total;
}

template <class State, int kCount>
Tally Total(const std::vector<State>& states, Tally (State::*tallies)[kCount], int which) {
  Tally total;
  for (const State& state : states) total.Add((state.*tallies)[which]);
  return total;
}

}  // namespace

uint64_t SweepLeakyFloat32(const Sweep& sweep) {
  const auto states = InParallel(
      BlockCount(sweep), sweep.threads, LeakyState{},
      [&sweep](uint64_t block, LeakyState& state) { CheckLeakyBlock(sweep, block, state); });
  const std::string oracle = "exact product in double, rounded once";
  uint64_t wrong = Print(
      sweep, {"ReLU", "float32", "", "the definition", false, Total(states, &LeakyState::relu)});
  for (int i = 0; i < kSlopeCount; ++i) {
    const std::string slope = Number(kSlopes[i]);
    wrong += Print(sweep, {"LeakyReLU, RReLU", "float32", slope, oracle, false,
                           Total(states, &LeakyState::uniform, i)});
    wrong += Print(
        sweep, {"PReLU", "float32", slope, oracle, false, Total(states, &LeakyState::sloped, i)});
  }
  return wrong;
}

uint64_t SweepEluFloat32(const Sweep& sweep) {
  const auto states =
      InParallel(BlockCount(sweep), sweep.threads, EluState{},
                 [&sweep](uint64_t block, EluState& state) { CheckEluBlock(sweep, block, state); });
  uint64_t wrong = 0;
  for (int i = 0; i < kAlphaCount; ++i) {
    wrong += Print(sweep, {"ELU", "float32", Number(kAlphas[i]), "C library's expm1 in double",
                           true, Total(states, &EluState::tallies, i)});
  }
  return wrong;
}

}  // namespace onnx_acts
