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

// Registers of the level: steps of one register of floats, and of four of them in bytes. Both
// instructions that pack work on each 128 bits of a register for themselves, so what comes out is
// put in order.
#if defined(__AVX512BW__)
using Floats = __m512;

inline Floats AllOf(float value) { return _mm512_set1_ps(value); }
inline Floats Load(const float* values) { return _mm512_loadu_ps(values); }

ONNX_ACTS_INLINE __m512i Steps(const uint8_t* x, Floats factor, const Combined& c) {
  constexpr __mmask16 kAll = 0xffff;  // GCC 12 warns about its own headers for what has no mask
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  const __m512i wide =
      _mm512_sub_epi32(_mm512_maskz_cvtepu8_epi32(kAll, bytes), _mm512_set1_epi32(c.x_zero));
  const Floats above = _mm512_maskz_cvtepi32_ps(kAll, wide);
  const __mmask16 negative = _mm512_movepi32_mask(wide);
  const Floats chosen = _mm512_mask_mov_ps(AllOf(c.not_negative), negative, factor);
  const Floats high = AllOf(static_cast<float>(255 - c.y_zero));
  return _mm512_maskz_cvtps_epi32(kAll,
                                  _mm512_maskz_min_ps(kAll, _mm512_mul_ps(above, chosen), high));
}

ONNX_ACTS_INLINE void Pack(const __m512i (&steps)[4], int32_t y_zero, uint8_t* y) {
  const __m512i zero = _mm512_set1_epi16(static_cast<int16_t>(y_zero));
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(steps[0], steps[1]), zero);
  const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(steps[2], steps[3]), zero);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(
      y, _mm512_maskz_permutexvar_epi32(0xffff, order, _mm512_packus_epi16(first, second)));
}
#elif defined(__AVX2__)
using Floats = __m256;

inline Floats AllOf(float value) { return _mm256_set1_ps(value); }
inline Floats Load(const float* values) { return _mm256_loadu_ps(values); }

ONNX_ACTS_INLINE __m256i Steps(const uint8_t* x, Floats factor, const Combined& c) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
  const Floats above = _mm256_cvtepi32_ps(_mm256_sub_epi32(bytes, _mm256_set1_epi32(c.x_zero)));
  const Floats chosen = _mm256_blendv_ps(AllOf(c.not_negative), factor, above);
  const Floats high = AllOf(static_cast<float>(255 - c.y_zero));
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(above, chosen), high));
}

ONNX_ACTS_INLINE void Pack(const __m256i (&steps)[4], int32_t y_zero, uint8_t* y) {
  const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(y_zero));
  const __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(steps[0], steps[1]), zero);
  const __m256i second = _mm256_adds_epi16(_mm256_packs_epi32(steps[2], steps[3]), zero);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y),
                      _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order));
}
#endif

#ifdef __AVX2__
constexpr int64_t kLanes = sizeof(Floats) / sizeof(float);
constexpr int64_t kProducts = 4 * kLanes;

// GCC's own code for bytes takes 1.8 times as long: these instructions pack and saturate at once. A
// product above all steps becomes the last one, one below them the first. `Stride` is 0 for one
// factor, 1 for one for each.
template <int64_t Stride>
ONNX_ACTS_INLINE void Products(const uint8_t* x, const float* factor, uint8_t* y,
                               const Combined& c) {
  const auto steps = [&](int64_t i) ONNX_ACTS_INLINE_LAMBDA {
    return Steps(x + i, Stride == 0 ? AllOf(*factor) : Load(factor + i), c);
  };
  Pack({steps(0), steps(kLanes), steps(2 * kLanes), steps(3 * kLanes)}, c.y_zero, y);
}

template <int64_t Stride>
void ProductsOfBytes(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                     const Combined& combined) {
  const Combined c = combined;
  int64_t i = 0;
  for (; i + kProducts <= n; i += kProducts) {
    Products<Stride>(x + i, factor + i * Stride, y + i, c);
  }
  if (i == n) return;
  const auto rest = static_cast<std::size_t>(n - i);
  uint8_t bytes[kProducts] = {};
  float factors[kProducts] = {*factor};
  std::memcpy(bytes, x + i, rest);
  if (Stride != 0) std::memcpy(factors, factor + i, rest * sizeof(float));
  Products<Stride>(bytes, factors, bytes, c);
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
