//! Kernels for x86-64: AVX2, and AVX-512 with VNNI and VBMI.
