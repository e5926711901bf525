// Compares ort_abi.h, ep_abi.h and ort_host.h with ONNX Runtime's own header, at compile time.

#include <onnxruntime_c_api.h>

#include <cstddef>

#include "library/ort_host.h"
#include "ort/ep_abi.h"
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
SLOT(GetSessionConfigEntry);
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
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 == int{abi::kUint8} &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE == int{abi::kDouble} &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 == int{abi::kBFloat16},
              "ONNXTensorElementDataType");
static_assert(INPUT_OUTPUT_OPTIONAL == int{abi::kOptional}, "OrtCustomOpInputOutputCharacteristic");

// The execution provider: since API 24.
#if ORT_API_VERSION >= 24
SLOT(ReadOpAttr);
SLOT(GetValueInfoTypeInfo);
SLOT(CreateKeyValuePairs);
SLOT(AddKeyValuePair);
SLOT(ReleaseKeyValuePairs);
SLOT(HardwareDevice_Type);
SLOT(GetEpApi);
SLOT(Graph_GetNumNodes);
SLOT(Graph_GetNodes);
SLOT(Node_GetOperatorType);
SLOT(Node_GetDomain);
SLOT(Node_GetSinceVersion);
SLOT(Node_GetNumInputs);
SLOT(Node_GetInputs);
SLOT(Node_GetAttributeByName);
SLOT(TensorTypeAndShape_HasShape);

#define EP_SLOT(name) \
  static_assert(offsetof(OrtEpApi, name) == decltype(abi::name)::kOffset, "slot of " #name)

EP_SLOT(CreateEpDevice);
EP_SLOT(EpGraphSupportInfo_AddSingleNode);
EP_SLOT(CreateKernelRegistry);
EP_SLOT(ReleaseKernelRegistry);
EP_SLOT(KernelRegistry_AddKernel);
EP_SLOT(CreateKernelDefBuilder);
EP_SLOT(ReleaseKernelDefBuilder);
EP_SLOT(KernelDefBuilder_SetOperatorType);
EP_SLOT(KernelDefBuilder_SetDomain);
EP_SLOT(KernelDefBuilder_SetSinceVersion);
EP_SLOT(KernelDefBuilder_SetExecutionProvider);
EP_SLOT(KernelDefBuilder_AddTypeConstraint);
EP_SLOT(KernelDefBuilder_AddInputOutputMutableAliases);
EP_SLOT(KernelDefBuilder_Build);
EP_SLOT(ReleaseKernelDef);
EP_SLOT(GetTensorDataType);
EP_SLOT(EpGraphSupportInfo_LookUpKernel);

#define EP_MEMBER(type, name) \
  static_assert(offsetof(Ort##type, name) == offsetof(abi::type, name), "offset of " #name)

static_assert(offsetof(OrtEpFactory, ort_version_supported) == offsetof(abi::EpFactory, version),
              "offset");
EP_MEMBER(EpFactory, GetName);
EP_MEMBER(EpFactory, GetVendor);
EP_MEMBER(EpFactory, GetSupportedDevices);
EP_MEMBER(EpFactory, CreateEp);
EP_MEMBER(EpFactory, ReleaseEp);
EP_MEMBER(EpFactory, GetVendorId);
EP_MEMBER(EpFactory, GetVersion);
EP_MEMBER(EpFactory, ValidateCompiledModelCompatibilityInfo);
EP_MEMBER(EpFactory, CreateAllocator);
EP_MEMBER(EpFactory, ReleaseAllocator);
EP_MEMBER(EpFactory, CreateDataTransfer);
EP_MEMBER(EpFactory, IsStreamAware);
EP_MEMBER(EpFactory, CreateSyncStreamForDevice);
EP_MEMBER(EpFactory, GetHardwareDeviceIncompatibilityDetails);
EP_MEMBER(EpFactory, CreateExternalResourceImporterForDevice);
EP_MEMBER(EpFactory, GetNumCustomOpDomains);
EP_MEMBER(EpFactory, GetCustomOpDomains);
static_assert(offsetof(OrtEp, ort_version_supported) == offsetof(abi::Ep, version), "offset");
EP_MEMBER(Ep, GetName);
EP_MEMBER(Ep, GetCapability);
EP_MEMBER(Ep, Compile);
EP_MEMBER(Ep, ReleaseNodeComputeInfos);
EP_MEMBER(Ep, GetPreferredDataLayout);
EP_MEMBER(Ep, ShouldConvertDataLayoutForOp);
EP_MEMBER(Ep, SetDynamicOptions);
EP_MEMBER(Ep, OnRunStart);
EP_MEMBER(Ep, OnRunEnd);
EP_MEMBER(Ep, CreateAllocator);
EP_MEMBER(Ep, CreateSyncStreamForDevice);
EP_MEMBER(Ep, GetCompiledModelCompatibilityInfo);
EP_MEMBER(Ep, GetKernelRegistry);
EP_MEMBER(Ep, IsConcurrentRunSupported);
static_assert(offsetof(OrtKernelImpl, ort_version_supported) == offsetof(abi::KernelImpl, version),
              "offset");
EP_MEMBER(KernelImpl, Compute);
EP_MEMBER(KernelImpl, Release);
EP_MEMBER(KernelImpl, PrePackWeight);
EP_MEMBER(KernelImpl, SetSharedPrePackedWeight);

static_assert(OrtHardwareDeviceType_CPU == int{abi::kCpuDevice}, "OrtHardwareDeviceType");
static_assert(ORT_OP_ATTR_FLOAT == int{abi::kFloatAttribute}, "OrtOpAttrType");
#endif
