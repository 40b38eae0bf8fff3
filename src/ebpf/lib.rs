#![no_std]
//! The room `ebpf`.
