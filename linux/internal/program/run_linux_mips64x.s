//go:build linux && (mips64 || mips64le)

#include "go_asm.h"
#include "textflag.h"

// R16 points to the step. The kernel keeps R16 to R23 and R28 to R31. It tells
// of an error by R7, with the positive number in R2.
#define STEP \
	MOVV	Step_Nr(R16), R2; \
	MOVV	(Step_Args+0)(R16), R4; \
	MOVV	(Step_Args+8)(R16), R5; \
	MOVV	(Step_Args+16)(R16), R6; \
	MOVV	(Step_Args+24)(R16), R7; \
	MOVV	(Step_Args+32)(R16), R8; \
	MOVV	(Step_Args+40)(R16), R9; \
	SYSCALL; \
	BEQ	R7, 2(PC); \
	SUBVU	R2, R0, R2

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVV	table+0(FP), R16
	STEP				// Block
	ADDV	$Step__size, R16
	STEP				// Clone
	BEQ	R2, child
	MOVV	R2, Step_Result(R16)
	ADDV	$Step__size, R16
	STEP				// Unblock
	RET

child:
	ADDV	$Step__size, R16
next:
	ADDV	$Step__size, R16
	STEP
	MOVV	R2, Step_Result(R16)
	MOVV	Step_Dst(R16), R4
	MOVV	R2, (R4)
	MOVV	Step_Low(R16), R4
	SUBVU	R4, R2
	MOVV	Step_Span(R16), R4
	SGTU	R2, R4, R4
	BEQ	R4, next
exit:
	MOVV	$const_ExitGroup, R2
	MOVV	$const_ExitStatus, R4
	SYSCALL
	JMP	exit
