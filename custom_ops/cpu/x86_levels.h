// Whether this processor has an instruction-set level of x86-64, read from the processor itself:
// not every compiler can ask for a level by its name (GCC before 12, Clang before 18), and one that
// brings no runtime library for it (Zig's) says no to every feature.
#ifndef ONNX_ACTS_X86_LEVELS_H_
#define ONNX_ACTS_X86_LEVELS_H_

#ifdef __x86_64__
#include <cpuid.h>

#include <cstdint>
#include <initializer_list>

namespace onnx_acts {
namespace {

// What a leaf of CPUID says in registers B and C; nothing where the processor lacks the leaf.
struct CpuidLeaf {
  explicit CpuidLeaf(unsigned leaf) {
    unsigned a = 0, d = 0;
    __get_cpuid_count(leaf, 0, &a, &b, &c, &d);
  }
  bool HasInB(unsigned features) const { return (b & features) == features; }
  bool HasInC(unsigned features) const { return (c & features) == features; }

  unsigned b = 0, c = 0;
};

// Whether the operating system saves all of some registers when it switches threads: without that
// their instructions are not allowed.
inline bool SystemSaves(uint32_t registers) {
  if (!CpuidLeaf(1).HasInC(bit_OSXSAVE)) return false;
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & registers) == registers;
}

constexpr uint32_t kVectors256 = 0x6, kVectors512 = 0xe6;

inline bool All(std::initializer_list<bool> features) {
  for (const bool has : features) {
    if (!has) return false;
  }
  return true;
}

inline bool HasLevel_v2() {
  return All({CpuidLeaf(1).HasInC(bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT |
                                  bit_CMPXCHG16B),
              CpuidLeaf(0x80000001).HasInC(bit_LAHF_LM)});
}

inline bool HasLevel_v3() {
  return All({HasLevel_v2(), SystemSaves(kVectors256),
              CpuidLeaf(1).HasInC(bit_AVX | bit_FMA | bit_F16C | bit_MOVBE),
              CpuidLeaf(7).HasInB(bit_AVX2 | bit_BMI | bit_BMI2),
              CpuidLeaf(0x80000001).HasInC(bit_LZCNT)});
}

inline bool HasLevel_v4() {
  return All({HasLevel_v3(), SystemSaves(kVectors512),
              CpuidLeaf(7).HasInB(bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ |
                                  bit_AVX512VL)});
}

}  // namespace
}  // namespace onnx_acts
#endif

#endif  // ONNX_ACTS_X86_LEVELS_H_
