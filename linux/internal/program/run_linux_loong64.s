#include "go_asm.h"
#include "textflag.h"

// R23 points to the step. The kernel keeps R22 to R31.
#define STEP \
	MOVV	Step_Nr(R23), R11; \
	MOVV	(Step_Args+0)(R23), R4; \
	MOVV	(Step_Args+8)(R23), R5; \
	MOVV	(Step_Args+16)(R23), R6; \
	MOVV	(Step_Args+24)(R23), R7; \
	MOVV	(Step_Args+32)(R23), R8; \
	MOVV	(Step_Args+40)(R23), R9; \
	SYSCALL

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVV	table+0(FP), R23
	STEP				// Block
	ADDV	$Step__size, R23
	STEP				// Clone
	BEQ	R4, child
	MOVV	R4, Step_Result(R23)
	ADDV	$Step__size, R23
	STEP				// Unblock
	RET

child:
	ADDV	$Step__size, R23
next:
	ADDV	$Step__size, R23
	STEP
	MOVV	R4, Step_Result(R23)
	MOVV	Step_Dst(R23), R5
	MOVV	R4, (R5)
	MOVV	Step_Low(R23), R5
	SUBV	R5, R4
	MOVV	Step_Span(R23), R5
	BGEU	R5, R4, next
exit:
	MOVV	$const_ExitGroup, R11
	MOVV	$const_ExitStatus, R4
	SYSCALL
	JMP	exit
