// The loops over elements of 8 bits with one product for each (combined_factors.h); a part of
// loop_cpu.cc.
#ifndef ONNX_ACTS_COMBINED_LOOPS_H_
#define ONNX_ACTS_COMBINED_LOOPS_H_

#include <cstring>

#include "cpu/quantized_loops.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace onnx_acts {
namespace {

#ifdef __AVX2__
constexpr int64_t kProducts = 32;

// Nearest steps, eight of them; a product above all steps becomes the last one, one below the
// first.
ONNX_ACTS_INLINE __m256i EightSteps(const uint8_t* x, __m256 factor, const Combined& c) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
  const __m256 above = _mm256_cvtepi32_ps(_mm256_sub_epi32(bytes, _mm256_set1_epi32(c.x_zero)));
  const __m256 chosen = _mm256_blendv_ps(_mm256_set1_ps(c.not_negative), factor, above);
  const __m256 high = _mm256_set1_ps(static_cast<float>(255 - c.y_zero));
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(above, chosen), high));
}

// GCC's own code for bytes takes 1.8 times as long: these instructions pack and saturate at once.
// `Stride` is 0 for one factor, 1 for one for each.
template <int64_t Stride>
ONNX_ACTS_INLINE void ThirtyTwoProducts(const uint8_t* x, const float* factor, uint8_t* y,
                                        const Combined& c) {
  const auto steps = [&](int64_t i) ONNX_ACTS_INLINE_LAMBDA {
    const __m256 factors = Stride == 0 ? _mm256_set1_ps(*factor) : _mm256_loadu_ps(factor + i);
    return EightSteps(x + i, factors, c);
  };
  const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(c.y_zero));
  const __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(steps(0), steps(8)), zero);
  const __m256i second = _mm256_adds_epi16(_mm256_packs_epi32(steps(16), steps(24)), zero);
  // Both instructions pack each half of a register for itself.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), bytes);
}

template <int64_t Stride>
void ProductsOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                     const Combined& combined) {
  const Combined c = combined;
  int64_t i = 0;
  for (; i + kProducts <= n; i += kProducts) {
    ThirtyTwoProducts<Stride>(x + i, factor + i * Stride, y + i, c);
  }
  if (i == n) return;
  const auto rest = static_cast<std::size_t>(n - i);
  uint8_t bytes[kProducts] = {};
  float factors[kProducts] = {*factor};
  std::memcpy(bytes, x + i, rest);
  if (Stride != 0) std::memcpy(factors, factor + i, rest * sizeof(float));
  ThirtyTwoProducts<Stride>(bytes, factors, bytes, c);
  std::memcpy(y + i, bytes, rest);
}

void OneFactorOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                      const Combined& combined) {
  ProductsOfBytes<0>(x, factor, y, n, combined);
}

void EachFactorOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                       const Combined& combined) {
  ProductsOfBytes<1>(x, factor, y, n, combined);
}
#else
// Both products of every element: a choice between numbers is vector code.
ONNX_ACTS_INLINE uint8_t ProductOf(uint8_t x, float factor, const Combined& c) {
  const auto above = static_cast<float>(static_cast<int32_t>(x) - c.x_zero);
  const float negative = above * factor;
  const float other = above * c.not_negative;
  return NearestStep(above < 0 ? negative : other, c.y_zero);
}

void EachFactorOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                       const Combined& combined) {
  const Combined c = combined;
  ONNX_ACTS_IVDEP
  for (int64_t i = 0; i < n; ++i) y[i] = ProductOf(x[i], factor[i], c);
}

void OneFactorOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                      const Combined& combined) {
  const Combined c = combined;
  const float one = *factor;
  if (n < kTableFrom) {
    ONNX_ACTS_IVDEP
    for (int64_t i = 0; i < n; ++i) y[i] = ProductOf(x[i], one, c);
    return;
  }
  ByTable(x, y, n, [&](uint8_t value) { return ProductOf(value, one, c); });
}
#endif

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_COMBINED_LOOPS_H_
