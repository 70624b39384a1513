#pragma once
// Debian's libxml2 is built with ICU and its headers would pull in ICU's, whose enums differ from those of the ICU
// inside Foundation: a module that sees both does not compile. Only a tail of one struct depends on it, and we never
// make or size that struct.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlreader.h>
