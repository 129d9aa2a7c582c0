/* Reads PATTERN<TAB>TEXT lines; prints 1 where fnmatch(3) with no flags, in the C locale, says that they match, else 0. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	static char line[1 << 16];
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *tab = strchr(line, '\t');
		if (tab == NULL)
			return 64;
		*tab++ = '\0';
		tab[strcspn(tab, "\n")] = '\0';
		putchar(fnmatch(line, tab, 0) == 0 ? '1' : '0');
		putchar('\n');
	}
	return 0;
}
