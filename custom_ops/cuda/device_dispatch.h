// From the operator table to the loops of device_loops.h, for whatever runs them.
//
// A Runner has `template <class Thread> static void Run(const typename Thread::Args&, const
// device::Stream&)`.
#ifndef ONNX_ACTS_DEVICE_DISPATCH_H_
#define ONNX_ACTS_DEVICE_DISPATCH_H_

#include <stdexcept>

#include "cuda/device.h"
#include "cuda/device_loops.h"

namespace onnx_acts {
namespace {

template <class Runner, class F, class T>
void RunUniformOf(const UniformArgs& args, const device::Stream& stream) {
  constexpr bool kSimple = F::template kFloatAccuracy<true> == FloatAccuracy::kExact;
  if constexpr (Storage<T>::k16Bits && !kSimple) {
    throw std::logic_error("onnx_acts: this functor serves 16-bit elements by a table");
  } else if constexpr (kSimple && !Storage<T>::k16Bits) {
    // Apply does so little that its other form would be the same.
    Runner::template Run<UniformThread<F, false, T>>(args, stream);
  } else if (F::ScalesExactly(Parameter<typename Storage<T>::Real>(args))) {
    Runner::template Run<UniformThread<F, true, T>>(args, stream);
  } else {
    Runner::template Run<UniformThread<F, false, T>>(args, stream);
  }
}

template <class Runner, class T>
void RunSlopesOf(SlopeKind kind, const SlopeArgs& args, const device::Stream& stream) {
  switch (kind) {
    case SlopeKind::kRows:
      return Runner::template Run<SlopeThread<SlopeKind::kRows, T>>(args, stream);
    case SlopeKind::kColumns:
      return Runner::template Run<SlopeThread<SlopeKind::kColumns, T>>(args, stream);
    case SlopeKind::kAny:
      return Runner::template Run<SlopeThread<SlopeKind::kAny, T>>(args, stream);
  }
}

template <class Runner>
struct Dispatch {
  using Stream = device::Stream;

  static void Uniform(Functor functor, Element element, const UniformArgs& args,
                      const Stream& stream) {
    WithStorage(element, [&](auto zero) {
      using Entry = void (*)(const UniformArgs&, const Stream&);
      static constexpr Entry kTable[kFunctorCount] = {
#define ONNX_ACTS_FUNCTOR(name) RunUniformOf<Runner, name, decltype(zero)>,
#include "op_table.inc"
      };
      kTable[static_cast<int>(functor)](args, stream);
    });
  }

  static void Slopes(SlopeKind kind, Element element, const SlopeArgs& args, const Stream& stream) {
    WithStorage(element,
                [&](auto zero) { RunSlopesOf<Runner, decltype(zero)>(kind, args, stream); });
  }

  static void Draw(Element element, const DrawArgs& args, const Stream& stream) {
    WithStorage(element,
                [&](auto zero) { Runner::template Run<DrawThread<decltype(zero)>>(args, stream); });
  }
};

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_DISPATCH_H_
