//! Kernels for ARMv7E-M with DSP instructions and FPU: Cortex-M4F, M7, M33.
