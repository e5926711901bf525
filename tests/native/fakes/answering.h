// How the fake runtime answers a call: with what the test wants, or with a failure in its turn.
#ifndef ONNX_ACTS_TESTS_ANSWERING_H_
#define ONNX_ACTS_TESTS_ANSWERING_H_

#include <cstring>
#include <utility>

#include "fakes/fake_ort.h"

namespace onnx_acts::fake {

template <class T>
T* Made(T object) {
  ++events.live;
  return new T(std::move(object));
}

template <class T>
void CountRelease(T* object) {
  const Inside scope;
  if (object != nullptr) --events.live;
  delete object;
}

inline ort::Status* Fails(int code, const char* message) {
  return Made(ort::Status{code, message});
}

// A call of the library: fails if it is its turn, else runs `body`, which may fail by itself.
template <class Body>
ort::Status* Answer(const Body& body) {
  const Inside scope;
  if (++events.calls == events.failing) return Fails(kInjected, "put in by the test");
  return body();
}

template <class Body>
ort::Status* Done(const Body& body) {
  return Answer([&]() -> ort::Status* {
    body();
    return nullptr;
  });
}

// The runtime's way of handing out a string of `length` characters.
inline ort::Status* CopyText(const char* text, std::size_t length, char* out, std::size_t* size) {
  const std::size_t room = *size;
  *size = length + 1;
  if (out == nullptr) return nullptr;
  if (room < length + 1) return Fails(ort::kInvalidArgument, "the buffer is too small");
  std::memcpy(out, text, length + 1);
  return nullptr;
}

}  // namespace onnx_acts::fake

#endif  // ONNX_ACTS_TESTS_ANSWERING_H_
