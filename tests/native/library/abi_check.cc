// Compares ort_abi.h and ort_host.h with ONNX Runtime's own header, at compile time.

#include <onnxruntime_c_api.h>

#include <cstddef>

#include "library/ort_host.h"
#include "ort/ort_abi.h"

namespace abi = onnx_acts::ort;

#define SLOT(name) \
  static_assert(offsetof(OrtApi, name) == decltype(abi::name)::kOffset, "slot of " #name)

SLOT(CreateStatus);
SLOT(GetErrorCode);
SLOT(GetErrorMessage);
SLOT(CreateCustomOpDomain);
SLOT(CustomOpDomain_Add);
SLOT(AddCustomOpDomain);
SLOT(GetTensorMutableData);
SLOT(CastTypeInfoToTensorInfo);
SLOT(GetTensorElementType);
SLOT(GetDimensionsCount);
SLOT(GetDimensions);
SLOT(GetSymbolicDimensions);
SLOT(GetTensorShapeElementCount);
SLOT(GetTensorTypeAndShape);
SLOT(GetAllocatorWithDefaultOptions);
SLOT(KernelInfoGetAttribute_float);
SLOT(KernelInfoGetAttribute_int64);
SLOT(KernelInfoGetAttribute_string);
SLOT(KernelContext_GetOutputCount);
SLOT(KernelContext_GetInput);
SLOT(KernelContext_GetOutput);
SLOT(ReleaseStatus);
SLOT(ReleaseValue);
SLOT(ReleaseTypeInfo);
SLOT(ReleaseTensorTypeAndShapeInfo);
SLOT(AddSessionConfigEntry);
SLOT(KernelInfoGetAttributeArray_float);
SLOT(KernelInfoGetAttributeArray_int64);
SLOT(KernelContext_GetGPUComputeStream);
SLOT(KernelInfo_GetInputTypeInfo);
SLOT(KernelInfoGetAttribute_tensor);
SLOT(HasSessionConfigEntry);
SLOT(KernelInfo_GetNodeName);
SLOT(KernelInfoGetConstantInput_tensor);
SLOT(ShapeInferContext_GetInputTypeShape);
SLOT(ShapeInferContext_SetOutputTypeShape);
SLOT(KernelContext_ParallelFor);
SLOT(ReleaseCustomOpDomain);
SLOT(CreateEnv);
SLOT(CreateSession);
SLOT(Run);
SLOT(CreateSessionOptions);
SLOT(DisableCpuMemArena);
SLOT(SetIntraOpNumThreads);
SLOT(CreateTensorWithDataAsOrtValue);
SLOT(CreateCpuMemoryInfo);
SLOT(ReleaseEnv);
SLOT(ReleaseMemoryInfo);
SLOT(ReleaseSession);
SLOT(ReleaseSessionOptions);

#define MEMBER(name) \
  static_assert(offsetof(OrtCustomOp, name) == offsetof(abi::CustomOp, name), "offset of " #name)

MEMBER(version);
MEMBER(CreateKernel);
MEMBER(GetName);
MEMBER(GetExecutionProviderType);
MEMBER(GetInputType);
MEMBER(GetInputTypeCount);
MEMBER(GetOutputType);
MEMBER(GetOutputTypeCount);
MEMBER(KernelCompute);
MEMBER(KernelDestroy);
MEMBER(GetInputCharacteristic);
MEMBER(GetOutputCharacteristic);
MEMBER(GetInputMemoryType);
MEMBER(GetVariadicInputMinArity);
MEMBER(GetVariadicInputHomogeneity);
MEMBER(GetVariadicOutputMinArity);
MEMBER(GetVariadicOutputHomogeneity);
MEMBER(CreateKernelV2);
MEMBER(KernelComputeV2);
MEMBER(InferOutputShapeFn);
MEMBER(GetStartVersion);
MEMBER(GetEndVersion);
#if ORT_API_VERSION >= 18
MEMBER(GetMayInplace);
MEMBER(ReleaseMayInplace);
MEMBER(GetAliasMap);
MEMBER(ReleaseAliasMap);
#endif

static_assert(offsetof(OrtApiBase, GetApi) == offsetof(abi::ApiBase, GetApi), "OrtApiBase");
static_assert(offsetof(OrtApiBase, GetVersionString) == offsetof(abi::ApiBase, GetVersionString),
              "OrtApiBase");
static_assert(ORT_FAIL == int{abi::kFail} && ORT_INVALID_ARGUMENT == int{abi::kInvalidArgument},
              "OrtErrorCode");
static_assert(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT == int{abi::kFloat} &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 == int{abi::kFloat16} &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE == int{abi::kDouble} &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 == int{abi::kBFloat16},
              "ONNXTensorElementDataType");
static_assert(INPUT_OUTPUT_OPTIONAL == int{abi::kOptional}, "OrtCustomOpInputOutputCharacteristic");
