# The CUDA kernels of the core (core/cuda/*.cu): by nvcc for a GPU, or by the C++ compiler with the
# emulation, which runs them on the CPU (emulation.h). Neither needs TensorFlow or a GPU to build.
if(NOT DEEPTF_CUDA MATCHES "^(off|emulated|device)$")
  message(FATAL_ERROR "DEEPTF_CUDA must be off, emulated or device, got '${DEEPTF_CUDA}'")
endif()
if(DEEPTF_CUDA STREQUAL device)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # machine code of both, and PTX for newer ones
  endif()
  enable_language(CUDA)
endif()

# Makes the C++ compiler take CUDA sources, where they are emulated; for targets of this folder.
function(read_as_cuda)
  if(DEEPTF_CUDA STREQUAL emulated)
    set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS -xc++)
  endif()
endfunction()

# What the names of the cards are called in build lines.
function(name_cards result)
  list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "^([0-9]+).*" "sm_\\1" OUTPUT_VARIABLE cards)
  list(JOIN cards " " cards)
  if(DEEPTF_CUDA STREQUAL emulated)
    set(cards emulated)
  endif()
  set(${result} ${cards} PARENT_SCOPE)
endfunction()

# The engine on GPUs (engine/cuda) as library `target` of `type`, with kernels from add_cuda_core.
function(add_cuda_engine target type kernels)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../engine/cuda)
  file(GLOB sources CONFIGURE_DEPENDS ${here}/*.cc)
  file(GLOB cuda_sources CONFIGURE_DEPENDS ${here}/*.cu)
  read_as_cuda(${cuda_sources})
  add_library(${target} ${type} ${sources} ${cuda_sources})
  target_link_libraries(${target} PUBLIC ${kernels})
  name_cards(cards)
  target_compile_definitions(${target} PRIVATE
    DEEPTF_VERSION="${DEEPTF_VERSION}" DEEPTF_ARCHITECTURES="${cards}")
  if(DEEPTF_CUDA STREQUAL device)
    set_target_properties(${target} PROPERTIES CUDA_STANDARD 17)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo -Xptxas=-v>)
  else()
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# The kernels as static library `target`. Further arguments: sanitizers of the emulated ones.
function(add_cuda_core target)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  file(GLOB kernels CONFIGURE_DEPENDS ${here}/*.cu)
  read_as_cuda(${kernels})
  add_library(${target} STATIC ${kernels})
  target_include_directories(${target} PUBLIC ${here}/../..)
  target_compile_features(${target} PUBLIC cxx_std_17)
  if(DEEPTF_CUDA STREQUAL device)
    # Counting and filling pairs must agree, with each other and with the CPU.
    set_source_files_properties(${here}/neighbors.cu ${here}/list_pairs.cu PROPERTIES
      COMPILE_OPTIONS -fmad=false)
    set_target_properties(${target} PROPERTIES CUDA_STANDARD 17 CUDA_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE --expt-relaxed-constexpr -lineinfo -Xptxas=-v
      --Werror cross-execution-space-call)
    return()
  endif()
  target_sources(${target} PRIVATE ${here}/emulation.cc)
  set(sanitize "")
  if(ARGN)
    set(sanitize -fsanitize=${ARGN} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  endif()
  target_compile_options(${target} PUBLIC ${sanitize} -g1 -Wall -Wextra -Wno-unknown-pragmas
    -Wno-clobbered -ffp-contract=off)
  target_compile_options(${target} PRIVATE -O1)
  target_link_options(${target} PUBLIC ${sanitize})
endfunction()
