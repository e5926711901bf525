// 16-bit conversions: every bit pattern there and back, and every rounding boundary.

#include "activations/float16.h"

#include <cmath>
#include <initializer_list>

#include "fakes/cases.h"

namespace onnx_acts {
namespace {

// The value of a 16-bit pattern by the definition of the format; infinite for the top exponent.
double ValueByDefinition(int bits, int fraction_bits, int bias) {
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const int exponent = (bits & 0x7fff) >> fraction_bits;
  const int top = 0x7fff >> fraction_bits;
  double value = exponent == 0
                     ? std::ldexp(fraction, 1 - bias - fraction_bits)
                     : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  if (exponent == top) value = fraction == 0 ? INFINITY : NAN;
  return (bits & 0x8000) != 0 ? -value : value;
}

template <class T>
T FromDouble(double value) {
  return T::FromFloat(T::Narrow(value));
}

template <class T>
void TestEveryPattern(int fraction_bits, int bias) {
  for (int bits = 0; bits < 65536; ++bits) {
    const T value = {static_cast<uint16_t>(bits)};
    const double truth = ValueByDefinition(bits, fraction_bits, bias);
    const float wide = value.ToFloat();
    CHECK(std::isnan(truth) ? std::isnan(wide) : static_cast<double>(wide) == truth, "%04x", bits);
    CHECK(std::signbit(wide) == std::signbit(truth) || std::isnan(truth), "%04x", bits);
    if (std::isnan(truth)) {
      CHECK(std::isnan(T::FromFloat(wide).ToFloat()), "%04x", bits);
      CHECK(std::isnan(FromDouble<T>(static_cast<double>(wide)).ToFloat()), "%04x", bits);
    } else {
      CHECK(T::FromFloat(wide).bits == bits, "%04x", bits);
      CHECK(FromDouble<T>(truth).bits == bits, "%04x", bits);
    }
  }
}

// Between neighbours a < b: just beside the middle, and the middle itself, which goes to the even
// one.
template <class T>
void TestEveryBoundary(int fraction_bits, int bias) {
  const int infinity = 0x7fff >> fraction_bits << fraction_bits;
  for (int bits = 0; bits < infinity; ++bits) {
    const double a = ValueByDefinition(bits, fraction_bits, bias);
    // Above the largest number rounding works as if the format went on.
    const double b = bits + 1 < infinity ? ValueByDefinition(bits + 1, fraction_bits, bias)
                                         : 2 * a - ValueByDefinition(bits - 1, fraction_bits, bias);
    const double middle = (a + b) / 2;
    const int even = bits + (bits & 1);
    for (const int sign : {0, 0x8000}) {
      const double factor = sign == 0 ? 1 : -1;
      const auto round = [&](double value) { return FromDouble<T>(factor * value).bits; };
      CHECK(round(middle) == (even | sign), "%04x", bits);
      CHECK(round(std::nextafter(middle, 0)) == (bits | sign), "%04x", bits);
      CHECK(round(std::nextafter(middle, INFINITY)) == ((bits + 1) | sign), "%04x", bits);
      const float single = static_cast<float>(middle);  // exact
      const auto round_float = [&](float value) {
        return T::FromFloat(static_cast<float>(factor) * value).bits;
      };
      CHECK(round_float(single) == (even | sign), "%04x", bits);
      CHECK(round_float(std::nextafterf(single, 0)) == (bits | sign), "%04x", bits);
      CHECK(round_float(std::nextafterf(single, INFINITY)) == ((bits + 1) | sign), "%04x", bits);
    }
  }
}

template <class T>
void TestExtremes(uint16_t infinity) {
  const double values[] = {1e300, 1e-300, 5e-324, HUGE_VAL};
  for (const double value : values) {
    const uint16_t expected = value > 1 ? infinity : 0;
    CHECK(FromDouble<T>(value).bits == expected, "%g", value);
    CHECK(FromDouble<T>(-value).bits == (expected | 0x8000), "%g", -value);
  }
}

TEST(EveryPattern, "16-bit patterns have the values of their definition, there and back") {
  TestEveryPattern<Half>(10, 15);
  TestEveryPattern<BFloat16>(7, 127);
}

TEST(EveryBoundary, "values half-way between neighbours go to the even one") {
  TestEveryBoundary<Half>(10, 15);
  TestEveryBoundary<BFloat16>(7, 127);
}

TEST(Extremes, "huge values become infinite and tiny ones zero") {
  TestExtremes<Half>(0x7c00);
  TestExtremes<BFloat16>(0x7f80);
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
