// Runs of 16-bit elements to float and back, a register at a time where the instruction-set level
// has conversions; at the full width of the level, as a wide load of what narrower stores have just
// written is slow. They give the bits of Half's and BFloat16's own arithmetic.
#ifndef ONNX_ACTS_BLOCKS_H_
#define ONNX_ACTS_BLOCKS_H_

#include "activations/float16.h"

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include "cpu/blocks_neon.h"
#endif

// Inlined where the number of elements is a constant, so that loops are unrolled.
#define ONNX_ACTS_INLINE inline __attribute__((always_inline))
#define ONNX_ACTS_INLINE_LAMBDA __attribute__((always_inline))

// Before a loop: its iterations are independent, whatever the pointers may share.
#ifdef __clang__
#define ONNX_ACTS_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define ONNX_ACTS_IVDEP _Pragma("GCC ivdep")
#endif

namespace onnx_acts {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kStep = 16;
// The masked forms: GCC 12 warns about its own headers for the others.
constexpr __mmask16 kAllLanes = 0xffff;

inline void WidenStep(const Half* from, float* to) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  _mm512_storeu_ps(to, _mm512_maskz_cvtph_ps(kAllLanes, bits));
}

inline void ShortenStep(const float* from, Half* to) {
  const __m256i bits =
      _mm512_maskz_cvtps_ph(kAllLanes, _mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bits);
}

inline void WidenStep(const BFloat16* from, float* to) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m512i wide = _mm512_maskz_cvtepu16_epi32(kAllLanes, bits);
  _mm512_storeu_si512(to, _mm512_maskz_slli_epi32(kAllLanes, wide, 16));
}

inline void ShortenStep(const float* from, BFloat16* to) {
  const __m512i all = _mm512_loadu_si512(from);
  const __m512i upper = _mm512_maskz_srli_epi32(kAllLanes, all, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(all, _mm512_set1_epi32(0x7fff)), odd);
  const __m512i rounded = _mm512_maskz_srli_epi32(kAllLanes, sum, 16);
  const __m512i quiet = _mm512_or_si512(upper, _mm512_set1_epi32(0x40));
  const __m512i magnitude = _mm512_and_si512(all, _mm512_set1_epi32(0x7fffffff));
  const __mmask16 nan = _mm512_cmpgt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f800000));
  const __m512i result = _mm512_mask_mov_epi32(rounded, nan, quiet);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtepi32_epi16(kAllLanes, result));
}

inline __m256i ToHalf(__m512 value) {
  return _mm512_maskz_cvtps_ph(kAllLanes, value, _MM_FROUND_TO_NEAREST_INT);
}

inline bool NearTieStep(const float* from, Half) {
  const __m512 y = _mm512_loadu_ps(from);
  const __m256i less = ToHalf(_mm512_mul_ps(y, _mm512_set1_ps(1.0f - 0x1p-23f)));
  const __m256i more = ToHalf(_mm512_mul_ps(y, _mm512_set1_ps(1.0f + 0x1p-23f)));
  return _mm256_cmpneq_epi16_mask(less, more) != 0;
}

inline bool NearTieStep(const float* from, BFloat16) {
  const __m512i sum = _mm512_sub_epi32(_mm512_loadu_si512(from), _mm512_set1_epi32(0x7fff));
  const __m512i lower = _mm512_and_si512(sum, _mm512_set1_epi32(0xffff));
  return _mm512_cmple_epu32_mask(lower, _mm512_set1_epi32(2)) != 0;
}
#elif defined(__F16C__)
constexpr int64_t kStep = 8;

inline void WidenStep(const Half* from, float* to) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm256_storeu_ps(to, _mm256_cvtph_ps(bits));
}

inline void ShortenStep(const float* from, Half* to) {
  const __m128i bits = _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bits);
}

inline void WidenStep(const BFloat16* from, float* to) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m256i wide = _mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), wide);
}

inline void ShortenStep(const float* from, BFloat16* to) {
  const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m256i upper = _mm256_srli_epi32(all, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(all, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i magnitude = _mm256_and_si256(all, _mm256_set1_epi32(0x7fffffff));
  const __m256i nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
  const __m256i result = _mm256_blendv_epi8(_mm256_srli_epi32(sum, 16), quiet, nan);
  // Packing works on each half of the register: gather the halves' results.
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(result, result), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
}

inline __m128i ToHalf(__m256 value) { return _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT); }

inline bool NearTieStep(const float* from, Half) {
  const __m256 y = _mm256_loadu_ps(from);
  const __m128i less = ToHalf(_mm256_mul_ps(y, _mm256_set1_ps(1.0f - 0x1p-23f)));
  const __m128i more = ToHalf(_mm256_mul_ps(y, _mm256_set1_ps(1.0f + 0x1p-23f)));
  return _mm_movemask_epi8(_mm_cmpeq_epi16(less, more)) != 0xffff;
}

inline bool NearTieStep(const float* from, BFloat16) {
  const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m256i sum = _mm256_sub_epi32(all, _mm256_set1_epi32(0x7fff));
  const __m256i lower = _mm256_and_si256(sum, _mm256_set1_epi32(0xffff));
  return _mm256_movemask_epi8(_mm256_cmpgt_epi32(_mm256_set1_epi32(3), lower)) != 0;
}
#elif !defined(__aarch64__)
constexpr int64_t kStep = 1;

template <class T>
inline bool NearTieStep(const float* from, T) {
  return T::NearTie(*from);
}

template <class T>
inline void WidenStep(const T* from, float* to) {
  *to = from->ToFloat();
}

template <class T>
inline void ShortenStep(const float* from, T* to) {
  *to = T::FromFloat(*from);
}
#endif

template <class T>
ONNX_ACTS_INLINE void Widen(const T* from, float* to, int64_t n) {
  const int64_t whole = n / kStep * kStep;
  for (int64_t i = 0; i < whole; i += kStep) WidenStep(from + i, to + i);
  for (int64_t i = whole; i < n; ++i) to[i] = from[i].ToFloat();
}

// Whether T::NearTie holds for any element.
template <class T>
ONNX_ACTS_INLINE bool AnyNearTie(const float* from, int64_t n) {
  const int64_t whole = n / kStep * kStep;
  bool any = false;
  for (int64_t i = 0; i < whole; i += kStep) any |= NearTieStep(from + i, T{});
  for (int64_t i = whole; i < n; ++i) any |= T::NearTie(from[i]);
  return any;
}

template <class T>
ONNX_ACTS_INLINE void Shorten(const float* from, T* to, int64_t n) {
  const int64_t whole = n / kStep * kStep;
  for (int64_t i = 0; i < whole; i += kStep) ShortenStep(from + i, to + i);
  for (int64_t i = whole; i < n; ++i) to[i] = T::FromFloat(from[i]);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_BLOCKS_H_
