/* Preloaded into wrk, which knows nothing of client certificates and resumption.
 *
 * - Every TLS context gets the device's certificate (BENCH_CERTIFICATE, BENCH_KEY), TLS 1.3, one cipher and one group,
 *   so that all systems do the same cryptography.
 * - BENCH_RESUME=1 offers the newest session ticket with each connection; otherwise none is offered, though wrk would.
 * - Each connection is timed from the first byte of its handshake to its end, since wrk's clock starts only after the
 *   handshake. At the end, what was seen is written to BENCH_REPORT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_TIMES (1 << 22)

static SSL_SESSION *newest;
static int resume;
static int start_index = -1;
static uint64_t handshakes, resumed, times_seen;
static uint32_t *times_us;

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(newest);
    newest = session;
    return 1; /* the reference is ours */
}

static void must(int done, const char *what) {
    if (!done) {
        fprintf(stderr, "wrk_shim: %s failed\n", what);
        exit(3);
    }
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
    SSL_CTX *(*real)(const SSL_METHOD *) = dlsym(RTLD_NEXT, "SSL_CTX_new");
    SSL_CTX *context = real(method);
    const char *certificate = getenv("BENCH_CERTIFICATE"), *wanted = getenv("BENCH_RESUME");
    must(context != NULL, "SSL_CTX_new");
    must(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION), "TLS 1.3");
    must(SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384"), "the cipher");
    must(SSL_CTX_set1_groups_list(context, "X25519"), "the group");
    if (certificate && *certificate) {
        must(SSL_CTX_use_certificate_chain_file(context, certificate), "BENCH_CERTIFICATE");
        must(SSL_CTX_use_PrivateKey_file(context, getenv("BENCH_KEY"), SSL_FILETYPE_PEM), "BENCH_KEY");
    }
    resume = wanted && *wanted == '1';
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    start_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    times_us = calloc(MAX_TIMES, sizeof *times_us);
    must(times_us != NULL, "memory");
    return context;
}

int SSL_connect(SSL *ssl) {
    static int (*real)(SSL *);
    int done;
    if (!real) real = dlsym(RTLD_NEXT, "SSL_connect");
    if (SSL_in_before(ssl)) {
        SSL_set_ex_data(ssl, start_index, (void *)(uintptr_t)now_us());
        SSL_set_session(ssl, resume ? newest : NULL);
    }
    done = real(ssl);
    if (done == 1) {
        handshakes++;
        resumed += SSL_session_reused(ssl) != 0;
    }
    return done;
}

int SSL_shutdown(SSL *ssl) {
    static int (*real)(SSL *);
    uint64_t start = (uint64_t)(uintptr_t)SSL_get_ex_data(ssl, start_index);
    if (!real) real = dlsym(RTLD_NEXT, "SSL_shutdown");
    if (start && SSL_is_init_finished(ssl) && times_seen < MAX_TIMES) times_us[times_seen++] = now_us() - start;
    return real(ssl);
}

static int compare(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static double percentile_ms(double share) {
    uint64_t at = (uint64_t)(share * times_seen);
    if (!times_seen) return 0;
    return times_us[at < times_seen ? at : times_seen - 1] / 1000.0;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("BENCH_REPORT");
    FILE *file = path && times_us ? fopen(path, "w") : NULL;
    if (!file) return;
    qsort(times_us, times_seen, sizeof *times_us, compare);
    fprintf(file, "{\"handshakes\": %llu, \"resumed\": %llu, \"connections\": %llu,", (unsigned long long)handshakes,
            (unsigned long long)resumed, (unsigned long long)times_seen);
    fprintf(file, " \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f}\n", percentile_ms(0.5), percentile_ms(0.99),
            percentile_ms(0.999));
    fclose(file);
}
