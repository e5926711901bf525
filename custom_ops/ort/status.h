// Errors: exceptions inside this library, OrtStatus at its border.
#ifndef ONNX_ACTS_STATUS_H_
#define ONNX_ACTS_STATUS_H_

#include <exception>
#include <new>
#include <stdexcept>

#include "ort/ort_abi.h"

namespace onnx_acts {

// A status that the runtime made, on its way back to the runtime.
struct StatusError {
  ort::Status* status;
};

// A model or a call that asks for something impossible; the text is for the user.
struct InvalidArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws unless the runtime's call succeeded.
inline void Check(ort::Status* status) {
  if (status != nullptr) throw StatusError{status};
}

// Runs `body` and turns whatever it throws into a status: no exception may cross the C ABI.
template <class Body>
ort::Status* Guarded(const ort::Api* api, Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const StatusError& error) {
    return error.status;
  } catch (const InvalidArgument& error) {
    return ort::CreateStatus(api, ort::kInvalidArgument, error.what());
  } catch (const std::bad_alloc&) {
    return ort::CreateStatus(api, ort::kFail, "onnx_acts: out of memory");
  } catch (const std::exception& error) {
    return ort::CreateStatus(api, ort::kFail, error.what());
  } catch (...) {
    return ort::CreateStatus(api, ort::kFail, "onnx_acts: unknown error");
  }
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_STATUS_H_
