//go:build linux && (ppc64 || ppc64le)

#include "go_asm.h"
#include "textflag.h"

// R14 points to the step. The kernel keeps R14 to R31. It tells of an error by
// the summary overflow bit of CR0, with the positive number in R3.
#define STEP \
	MOVD	Step_Nr(R14), R9; \
	MOVD	(Step_Args+0)(R14), R3; \
	MOVD	(Step_Args+8)(R14), R4; \
	MOVD	(Step_Args+16)(R14), R5; \
	MOVD	(Step_Args+24)(R14), R6; \
	MOVD	(Step_Args+32)(R14), R7; \
	MOVD	(Step_Args+40)(R14), R8; \
	SYSCALL	R9; \
	BVC	2(PC); \
	NEG	R3, R3

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	table+0(FP), R14
	STEP				// Block
	ADD	$Step__size, R14
	STEP				// Clone
	CMP	R3, $0
	BEQ	child
	MOVD	R3, Step_Result(R14)
	ADD	$Step__size, R14
	STEP				// Unblock
	RET

child:
	ADD	$Step__size, R14
next:
	ADD	$Step__size, R14
	STEP
	MOVD	R3, Step_Result(R14)
	MOVD	Step_Dst(R14), R4
	MOVD	R3, (R4)
	MOVD	Step_Low(R14), R4
	SUB	R4, R3, R3
	MOVD	Step_Span(R14), R4
	CMPU	R3, R4
	BLE	next
exit:
	MOVD	$const_ExitGroup, R9
	MOVD	$const_ExitStatus, R3
	SYSCALL	R9
	BR	exit
