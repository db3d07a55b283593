//! Kernels for 64-bit ARM: NEON with SMLAL, and SDOT where the processor has the dot product extension.
