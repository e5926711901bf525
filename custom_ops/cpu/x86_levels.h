// Whether this processor has an instruction-set level of x86-64, feature by feature: not every
// compiler can ask for a level by its name (GCC before 12, Clang before 18), or for every feature.
#ifndef ONNX_ACTS_X86_LEVELS_H_
#define ONNX_ACTS_X86_LEVELS_H_

#ifdef __x86_64__
#include <cpuid.h>

#include <initializer_list>

namespace onnx_acts {
namespace {

// Whether a leaf of CPUID shows all of some features in register C, which stays 0 without the leaf.
inline bool CpuidHas(unsigned leaf, unsigned features) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  __get_cpuid(leaf, &a, &b, &c, &d);
  return (c & features) == features;
}

inline bool All(std::initializer_list<int> features) {
  for (const int has : features) {
    if (has == 0) return false;
  }
  return true;
}

inline bool HasLevel_v2() {
  return All({__builtin_cpu_supports("sse3"), __builtin_cpu_supports("ssse3"),
              __builtin_cpu_supports("sse4.1"), __builtin_cpu_supports("sse4.2"),
              __builtin_cpu_supports("popcnt"), CpuidHas(1, bit_CMPXCHG16B),
              CpuidHas(0x80000001, bit_LAHF_LM)});
}

// The compiler's tests for AVX and above include the operating system's support.
inline bool HasLevel_v3() {
  return All({HasLevel_v2(), __builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"),
              __builtin_cpu_supports("bmi"), __builtin_cpu_supports("bmi2"),
              CpuidHas(1, bit_F16C | bit_MOVBE), CpuidHas(0x80000001, bit_LZCNT)});
}

inline bool HasLevel_v4() {
  return All({HasLevel_v3(), __builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512bw"),
              __builtin_cpu_supports("avx512cd"), __builtin_cpu_supports("avx512dq"),
              __builtin_cpu_supports("avx512vl")});
}

}  // namespace
}  // namespace onnx_acts
#endif

#endif  // ONNX_ACTS_X86_LEVELS_H_
