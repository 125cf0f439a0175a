#include <gperftools/malloc_extension.h>
#include <gperftools/heap-profiler.h>
#include <cstdio>
#include <cstdlib>
#include <string>
void *volatile held[30000]; static int next_;
__attribute__((noinline)) void hold_sixty(int n) { for (int i = 0; i < n; i++) held[next_++] = malloc(600); }
__attribute__((noinline)) void hold_thirty(int n) { for (int i = 0; i < n; i++) held[next_++] = calloc(3, 1000); }
__attribute__((noinline)) void hold_ten(int n) { for (int i = 0; i < n; i++) held[next_++] = malloc(100); }
__attribute__((noinline)) void give_back(int n) { for (int i = 0; i < n; i++) { char *volatile b = (char *)malloc(20000); b[0] = 1; free(b); } }
int main(int argc, char **argv) {
  bool exact = argc > 2;
  if (exact) HeapProfilerStart(argv[1]);
  hold_sixty(9000); hold_thirty(900); hold_ten(9000); give_back(1000);
  if (exact) { HeapProfilerDump("asked"); HeapProfilerStop(); return 0; }
  std::string text; MallocExtension::instance()->GetHeapSample(&text);
  FILE *f = fopen((std::string(argv[1]) + ".sample").c_str(), "w"); fwrite(text.data(), 1, text.size(), f); fclose(f);
  text.clear(); MallocExtension::instance()->GetHeapGrowthStacks(&text);
  f = fopen((std::string(argv[1]) + ".growth").c_str(), "w"); fwrite(text.data(), 1, text.size(), f); fclose(f);
}
