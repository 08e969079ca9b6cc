#include "go_asm.h"
#include "textflag.h"

// R9 points to the step. The kernel keeps all registers but R2. The number of
// the call goes to R1, which numbers above 255 need and all others may use.
#define STEP \
	MOVD	Step_Nr(R9), R1; \
	MOVD	(Step_Args+0)(R9), R2; \
	MOVD	(Step_Args+8)(R9), R3; \
	MOVD	(Step_Args+16)(R9), R4; \
	MOVD	(Step_Args+24)(R9), R5; \
	MOVD	(Step_Args+32)(R9), R6; \
	MOVD	(Step_Args+40)(R9), R7; \
	SYSCALL

// func run(table *Step)
TEXT ·run(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	table+0(FP), R9
	STEP				// Block
	ADD	$Step__size, R9
	STEP				// Clone
	CMPBEQ	R2, $0, child
	MOVD	R2, Step_Result(R9)
	ADD	$Step__size, R9
	STEP				// Unblock
	RET

child:
	ADD	$Step__size, R9
next:
	ADD	$Step__size, R9
	STEP
	MOVD	R2, Step_Result(R9)
	MOVD	Step_Dst(R9), R3
	MOVD	R2, (R3)
	MOVD	Step_Low(R9), R3
	SUB	R3, R2
	MOVD	Step_Span(R9), R3
	CMPUBLE	R2, R3, next
exit:
	MOVD	$const_ExitGroup, R1
	MOVD	$const_ExitStatus, R2
	SYSCALL
	BR	exit
