# NVIDIA's licence. CUDA's runtime is inside a library with CUDA kernels, so that whoever passes the
# library on needs the text: it is taken from the toolkit and goes into the wheel.
set(ONNX_ACTS_CUDA_LICENCE "" CACHE FILEPATH "NVIDIA's licence; empty: what the toolkit has")

# The licence that came with a static CUDA runtime, in `result`; empty where there is none.
# A toolkit has it at its top, Debian's and NVIDIA's packages have it in the system's documentation,
# packages from PyPI in their metadata (which are beside the toolkit in some images).
function(onnx_acts_find_cuda_licence runtime result)
  get_filename_component(runtime ${runtime} REALPATH)
  get_filename_component(folder ${runtime} DIRECTORY)
  foreach(step RANGE 4)
    get_filename_component(folder ${folder} DIRECTORY)
    file(GLOB found ${folder}/EULA.txt ${folder}/doc/EULA.txt
         ${folder}/nvidia_cuda_runtime*.dist-info/licenses/License.txt
         ${folder}/nvidia_cuda_runtime*.dist-info/License.txt
         ${folder}/dist-info/nvidia_cuda_runtime*.dist-info/licenses/License.txt
         ${folder}/share/doc/cuda-cudart-dev-*/copyright
         ${folder}/share/doc/libcudart*/copyright)
    foreach(file ${found})
      file(STRINGS ${file} names REGEX "NVIDIA" LIMIT_COUNT 1)
      if(names)
        set(${result} ${file} PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

# Has the licence installed: into a wheel's licences, else beside the library.
function(onnx_acts_install_cuda_licence runtime)
  set(licence ${ONNX_ACTS_CUDA_LICENCE})
  if(NOT licence)
    onnx_acts_find_cuda_licence(${runtime} licence)
  elseif(NOT EXISTS ${licence})
    message(FATAL_ERROR "ONNX_ACTS_CUDA_LICENCE: there is no file ${licence}")
  endif()
  if(NOT licence)
    message(WARNING "NVIDIA's licence is not with ${runtime}: do not pass on what this builds. Name the"
                    " file (EULA.txt of a toolkit) with -DONNX_ACTS_CUDA_LICENCE=FILE")
    return()
  endif()
  set(folder onnx_acts)
  if(SKBUILD_METADATA_DIR)
    set(folder ${SKBUILD_METADATA_DIR}/licenses)
  endif()
  install(FILES ${licence} DESTINATION ${folder} RENAME NVIDIA-CUDA.txt COMPONENT onnx_acts)
  message(STATUS "NVIDIA's licence: ${licence}")
endfunction()
