// The domain with our custom operators.
#ifndef ONNX_ACTS_DOMAIN_H_
#define ONNX_ACTS_DOMAIN_H_

#include <cstdint>

#include "ort/ort_abi.h"

namespace onnx_acts {

// That of this runtime, whose table for the floor version is `api`. It lives as long as the
// library.
ort::CustomOpDomain* DomainFor(const ort::ApiBase* base, const ort::Api* api);

// The minor number of "1.minor.patch". (Asking GetApi for a table that the runtime lacks would make
// it print a complaint.)
uint32_t MinorVersion(const ort::ApiBase* base);

// Session options that have this entry have the domain from the execution provider.
constexpr char kDomainFromProvider[] = "ep.onnxactsexecutionprovider.domain";

}  // namespace onnx_acts

#endif  // ONNX_ACTS_DOMAIN_H_
