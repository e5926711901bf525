// Float16 and bfloat16: every input must give the correctly rounded value. The oracle compares long
// double values with the numbers of the type, made from their definition; no text of custom_ops.

#include <cmath>
#include <iterator>

#include "accuracy/accuracy_sweep.h"

namespace onnx_acts {
namespace {

constexpr int kPatterns = 65536;

// Everyday values; half-way cases of both types (1 + 3/256, 1 + 3/2048); slopes whose products are
// rounded wrongly if they are rounded to float first: of 14 and 24 bits for float16, of 17 and 23
// for bfloat16; numbers whose products are subnormal or overflow; the special numbers.
constexpr double kParameters[] = {0.01,
                                  0.25,
                                  11.0 / 48,
                                  -0.7,
                                  1.5,
                                  1 + 0x1p-23,
                                  3e-38,
                                  1e38,
                                  1.0,
                                  0.5,
                                  0.1,
                                  0.3,
                                  1.0 / 3,
                                  1 - 0x1p-24,
                                  1 + 3.0 / 256,
                                  1e-6,
                                  1 + 3.0 / 2048,
                                  1.6732632423543772,
                                  0x1.ff28p-1,
                                  0x1.abe2bep-3,
                                  0x1.a9b1p-2,
                                  0x1.022222p-2,
                                  3e-5,
                                  -1e-20,
                                  1e-38,
                                  1e-44,
                                  65504.0,
                                  7e4,
                                  3.4028235e38,
                                  0.0,
                                  -0.0,
                                  INFINITY};
constexpr int kParameterCount = static_cast<int>(std::size(kParameters));
static_assert(kParameterCount == 32, "as many as the documents say");

// A 16-bit type by its definition: a sign, an exponent and a fraction.
class Type {
 public:
  Type(Element type_element, int exponent_bits, int fraction_bits)
      : name(SpecOf(type_element).name),
        element(type_element),
        quiet_bit(1 << (fraction_bits - 1)),
        infinity(((1 << exponent_bits) - 1) << fraction_bits) {
    const int hidden = 1 << fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
    for (int bits = 0; bits <= infinity; ++bits) {  // at infinity, what would follow the largest
      const int exponent = bits / hidden, fraction = bits % hidden;
      const auto significand = static_cast<long double>(fraction + (exponent > 0 ? hidden : 0));
      magnitudes_.push_back(std::ldexp(significand, std::max(exponent, 1) - bias - fraction_bits));
    }
  }

  long double Value(int bits) const {
    const int magnitude = bits & 0x7fff;
    if (magnitude > infinity) return NAN;
    const long double value = magnitude == infinity ? INFINITY : At(magnitude);
    return (bits & 0x8000) != 0 ? -value : value;
  }

  // The bits of the number nearest to `value`, which is not NaN. Half-way it is the even one, or
  // the one nearer to zero if the exact value is known to be nearer to zero than `value`.
  int Nearest(long double value, bool nearer_to_zero = false) const {
    const long double size = std::fabs(value);
    int bits = static_cast<int>(std::upper_bound(magnitudes_.begin(), magnitudes_.end(), size) -
                                magnitudes_.begin());
    if (bits > infinity) {
      bits = infinity;
    } else {
      const long double middle = (At(bits - 1) + At(bits)) / 2;
      const bool tie_goes_down = nearer_to_zero || bits % 2 != 0;
      if (size < middle || (size == middle && tie_goes_down)) --bits;
    }
    return bits | (std::signbit(value) ? 0x8000 : 0);
  }

  const char* const name;
  const Element element;
  const int quiet_bit, infinity;

 private:
  long double At(int bits) const { return magnitudes_[static_cast<std::size_t>(bits)]; }

  std::vector<long double> magnitudes_;
};

constexpr int kAnyNan = -1, kUndecided = -2;

int ScaledNegative(const Type& type, long double x, double slope) {
  const long double product = x * static_cast<long double>(slope);  // 35 bits at most: exact
  return std::isnan(product) ? kAnyNan : type.Nearest(product);
}

// alpha * expm1(x) for x < 0, from bounds of the exact value. Where expm1 is computed in long
// double they are 2^-60 of it apart; and the exact value is nearer to zero than alpha * x and than
// alpha, which settles the cases that lie as close as that to a half-way point.
int EluNegative(const Type& type, long double x, double parameter) {
  const auto alpha = static_cast<long double>(parameter);
  const long double y = alpha * std::expm1(x);
  if (!std::isfinite(alpha) || alpha == 0 || std::isinf(x)) return type.Nearest(y);
  const long double bound = -std::copysign(std::min(std::fabs(alpha * x), std::fabs(alpha)), alpha);
  const long double outer = y * (1 + 0x1p-60L), inner = y * (1 - 0x1p-60L);
  const bool beyond = std::fabs(outer) >= std::fabs(bound);
  const int one = type.Nearest(inner), other = type.Nearest(beyond ? bound : outer, beyond);
  return one == other ? one : kUndecided;
}

// `want` is bits, or one of the constants above. A NaN keeps sign and payload; it may become quiet.
bool Agrees(const Type& type, int x, int got, int want) {
  const bool nan = (got & 0x7fff) > type.infinity;
  if (want == kAnyNan) return nan;
  if ((x & 0x7fff) > type.infinity) return (got | type.quiet_bit) == (x | type.quiet_bit);
  return got == want;
}

// The inputs, in the order of their bits and from an odd address on, and what a loop must give.
struct Job {
  explicit Job(const Type& element_type) : type(element_type) {
    for (int i = 0; i < kPatterns; ++i) x[i] = static_cast<uint16_t>(i);
  }

  // want = negative(x, i) for element i where x < 0, else x.
  template <class Negative>
  void Want(const Negative& negative) {
    for (int i = 0; i < kPatterns; ++i) {
      const long double value = type.Value(i);
      want[static_cast<std::size_t>(i)] = value < 0 ? negative(value, i) : i;
    }
  }

  // loop(loops, start, n) computes y from x. The first target, in one call, is held against `want`;
  // all targets, in one call and in short ones, against the first.
  template <class Loop>
  void Check(const Sweep& sweep, const Loop& loop, Tally* tally) {
    loop(sweep.targets[0].loops, 0, kPatterns);
    const std::vector<uint16_t> first(y, y + kPatterns);
    Compare(tally, [&](std::size_t i) { return Agrees(type, x[i], first[i], want[i]); });
    const auto same = [&](std::size_t i) { return y[i] == first[i]; };
    for (const Target& target : sweep.targets) {
      loop(target.loops, 0, kPatterns);
      Compare(tally, same);
      std::fill(y, y + kPatterns, uint16_t{0x7777});
      InShortCalls(kPatterns, [&](int64_t at, int64_t n) { loop(target.loops, at, n); });
      Compare(tally, same);
    }
    tally->inputs = kPatterns;
  }

  template <class Right>
  void Compare(Tally* tally, const Right& right) const {
    for (std::size_t i = 0; i < kPatterns; ++i) {
      if (!right(i)) tally->AddWrong(static_cast<double>(type.Value(x[i])));
    }
  }

  const Type& type;
  std::vector<uint16_t> x_memory = std::vector<uint16_t>(kPatterns + 1);
  std::vector<uint16_t> y_memory = std::vector<uint16_t>(kPatterns + 1);
  uint16_t *const x = x_memory.data() + 1, *const y = y_memory.data() + 1;
  std::vector<int> want = std::vector<int>(kPatterns);
};

Tally CheckUniform(const Sweep& sweep, Job& job, Functor functor, double parameter) {
  Tally tally;
  job.Check(
      sweep,
      [&](const Loops* loops, int64_t at, int64_t n) {
        const auto run = loops->Of(job.type.element).uniform[static_cast<int>(functor)];
        run(job.x + at, job.y + at, n, parameter);
      },
      &tally);
  return tally;
}

// The slopes of the type: those of the table, and bit patterns from all over the type.
std::vector<uint16_t> Slopes(const Type& type) {
  std::vector<uint16_t> slopes;
  for (int i = 0; i < kParameterCount; ++i) {
    slopes.push_back(static_cast<uint16_t>(type.Nearest(static_cast<long double>(kParameters[i]))));
    slopes.push_back(static_cast<uint16_t>(kPatterns / kParameterCount * i + 331 * i % 2048));
  }
  return slopes;
}

Tally CheckOneSlope(const Sweep& sweep, Job& job, uint16_t slope) {
  Tally tally;
  const auto value = static_cast<double>(job.type.Value(slope));
  job.Want([&](long double x, int) { return ScaledNegative(job.type, x, value); });
  job.Check(
      sweep,
      [&](const Loops* loops, int64_t at, int64_t n) {
        loops->Of(job.type.element).one_slope(job.x + at, &slope, job.y + at, n);
      },
      &tally);
  return tally;
}

// A slope for each element: element i takes slope i + turn.
Tally CheckEachSlope(const Sweep& sweep, Job& job, const std::vector<uint16_t>& slopes,
                     std::size_t turn) {
  Tally tally;
  std::vector<uint16_t> each(kPatterns);
  for (std::size_t i = 0; i < kPatterns; ++i) each[i] = slopes[(i + turn) % slopes.size()];
  job.Want([&](long double x, int i) {
    const long double slope = job.type.Value(each[static_cast<std::size_t>(i)]);
    return ScaledNegative(job.type, x, static_cast<double>(slope));
  });
  job.Check(
      sweep,
      [&](const Loops* loops, int64_t at, int64_t n) {
        loops->Of(job.type.element).each_slope(job.x + at, each.data() + at, job.y + at, n);
      },
      &tally);
  return tally;
}

// What one thread found at one parameter.
struct Findings {
  Tally leaky, elu, sloped[2];
};

Findings CheckParameter(const Sweep& sweep, const Type& type, std::size_t which) {
  Findings found;
  Job job(type);
  const double parameter = kParameters[which];
  const auto rounded = static_cast<double>(static_cast<float>(parameter));
  job.Want([&](long double x, int) { return ScaledNegative(type, x, rounded); });
  found.leaky = CheckUniform(sweep, job, Functor::kNegativeSlope, parameter);
  job.Want([&](long double x, int) { return EluNegative(type, x, rounded); });
  found.elu = CheckUniform(sweep, job, Functor::kElu, parameter);
  const std::vector<uint16_t> slopes = Slopes(type);
  for (const std::size_t i : {0u, 1u}) {
    found.sloped[i] = CheckOneSlope(sweep, job, slopes[2 * which + i]);
    found.sloped[i].wrong += CheckEachSlope(sweep, job, slopes, 2 * which + i).wrong;
  }
  return found;
}

uint64_t SweepType(const Sweep& sweep, const Type& type) {
  Job job(type);
  job.Want([](long double, int) { return 0; });
  uint64_t wrong = Print(sweep, {"ReLU", type.name, "", "the definition", false,
                                 CheckUniform(sweep, job, Functor::kRelu, 0.0)});
  std::vector<Findings> found(kParameterCount);
  InParallel(kParameterCount, sweep.threads, 0, [&](uint64_t i, int) {
    found[i] = CheckParameter(sweep, type, static_cast<std::size_t>(i));
  });
  const std::string exact = "exact product in long double, nearest number of the type";
  const std::string bounds =
      "bounds of alpha * expm1(x) in long double, nearest number of the type";
  const std::vector<uint16_t> slopes = Slopes(type);
  for (std::size_t i = 0; i < kParameterCount; ++i) {
    const std::string name = Number(kParameters[i]);
    wrong += Print(sweep, {"LeakyReLU, RReLU", type.name, name, exact, false, found[i].leaky});
    wrong += Print(sweep, {"ELU", type.name, name, bounds, false, found[i].elu});
    for (const std::size_t j : {0u, 1u}) {
      const std::string slope = Number(static_cast<double>(type.Value(slopes[2 * i + j])));
      wrong += Print(sweep, {"PReLU", type.name, slope, exact, false, found[i].sloped[j]});
    }
  }
  return wrong;
}

}  // namespace

uint64_t Sweep16Bit(const Sweep& sweep) {
  return SweepType(sweep, Type(Element::kFloat16, 5, 10)) +
         SweepType(sweep, Type(Element::kBFloat16, 8, 7));
}

}  // namespace onnx_acts
