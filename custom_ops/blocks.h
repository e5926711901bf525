// Runs of 16-bit elements to float and back. Where the processor has instructions for float16
// (every x86-64-v3 one) they are used, at the full width of the level: a wide load of what narrower
// stores have just written is slow. They give the bits of Half's own arithmetic.
#ifndef ONNX_ACTS_BLOCKS_H_
#define ONNX_ACTS_BLOCKS_H_

#include "float16.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

// Inlined where the number of elements is a constant, so that loops are unrolled.
#define ONNX_ACTS_INLINE inline __attribute__((always_inline))
#define ONNX_ACTS_INLINE_LAMBDA __attribute__((always_inline))

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
#endif

template <class T>
ONNX_ACTS_INLINE void Widen(const T* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i].ToFloat();
}

template <class T>
ONNX_ACTS_INLINE void Shorten(const float* from, T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = T::FromFloat(from[i]);
}

#ifdef __F16C__
// Preferred to the templates where the elements are Half.
ONNX_ACTS_INLINE void Widen(const Half* from, float* to, int64_t n) {
  const int64_t whole = n / kStep * kStep;
  for (int64_t i = 0; i < whole; i += kStep) WidenStep(from + i, to + i);
  for (int64_t i = whole; i < n; ++i) to[i] = from[i].ToFloat();
}

ONNX_ACTS_INLINE void Shorten(const float* from, Half* to, int64_t n) {
  const int64_t whole = n / kStep * kStep;
  for (int64_t i = 0; i < whole; i += kStep) ShortenStep(from + i, to + i);
  for (int64_t i = whole; i < n; ++i) to[i] = Half::FromFloat(from[i]);
}
#endif

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_BLOCKS_H_
