/* A PKCS#11 module that is SoftHSM but for C_Sign and C_GetAttributeValue: it counts signatures, and fails on demand.

   SPY_COUNT names a file that gets one byte for each signature that SoftHSM made.
   SPY_FAULT names a file with what to do at each signature: crash, crash after, hang, corrupt, print; or drift: from now
   on every key says that it is extractable.
   SPY_HANGS names a FIFO that is told when it hangs. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;
typedef ulong_t (*sign_t)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *);
typedef struct {
    ulong_t type;
    void *value;
    ulong_t size;
} attribute_t;
typedef ulong_t (*read_t)(ulong_t, ulong_t, attribute_t *, ulong_t);
typedef struct {
    unsigned char version[2];
    void *functions[68]; /* PKCS#11 v2.40, CK_FUNCTION_LIST */
} list_t;

enum { C_GET_ATTRIBUTE_VALUE = 24, C_SIGN = 43 }; /* places in the list */
enum { CKA_EXTRACTABLE = 0x162 };

static list_t list;
static sign_t real_sign;
static read_t real_read;

static int wanted(const char *fault) {
    const char *set = getenv("SPY_FAULT");
    char text[32] = "";
    int file = set ? open(set, O_RDONLY) : -1;
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
        close(file);
    }
    return strcmp(text, fault) == 0;
}

static ulong_t spy_sign(ulong_t session, unsigned char *data, ulong_t size, unsigned char *signature, ulong_t *length) {
    if (signature == NULL) return real_sign(session, data, size, signature, length);
    if (wanted("crash")) raise(SIGSEGV);
    if (wanted("hang")) {
        int told = open(getenv("SPY_HANGS"), O_WRONLY);
        if (write(told, "h", 1) != 1) abort();
        for (;;) pause();
    }
    ulong_t result = real_sign(session, data, size, signature, length);
    int count = open(getenv("SPY_COUNT"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (result == 0 && count >= 0 && write(count, "s", 1) != 1) abort();
    if (count >= 0) close(count);
    if (wanted("crash after")) raise(SIGSEGV);
    if (wanted("corrupt")) signature[0] ^= 1;
    if (wanted("print")) { printf("a vendor's debugging output\n"); fflush(stdout); }
    return result;
}

static ulong_t spy_read(ulong_t session, ulong_t object, attribute_t *attributes, ulong_t count) {
    ulong_t result = real_read(session, object, attributes, count);
    for (ulong_t at = 0; at < count; at++)
        if (attributes[at].type == CKA_EXTRACTABLE && attributes[at].value && wanted("drift"))
            *(unsigned char *)attributes[at].value = 1;
    return result;
}

ulong_t C_GetFunctionList(list_t **answer) {
    void *module = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    ulong_t (*get)(list_t **) = module ? (ulong_t (*)(list_t **))dlsym(module, "C_GetFunctionList") : NULL;
    list_t *real = NULL;
    if (get == NULL || get(&real) != 0) return 5; /* CKR_GENERAL_ERROR */
    list = *real;
    real_sign = (sign_t)real->functions[C_SIGN];
    real_read = (read_t)real->functions[C_GET_ATTRIBUTE_VALUE];
    list.functions[C_SIGN] = (void *)spy_sign;
    list.functions[C_GET_ATTRIBUTE_VALUE] = (void *)spy_read;
    *answer = &list;
    return 0;
}
