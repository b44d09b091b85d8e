// SPDX-License-Identifier: Apache-2.0
/*
 * Every text here is decoded twice, as an item of a page and as an event's
 * object, and what json-c and decode.c make of it is what is expected. For the
 * reader's sake the texts are written with single quotes.
 */
#include "tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bench/gen_pods.h"
#include "pod.h"
#include "pod_walk.h"
#include "pods.h"
#include "random_pods.h"

#define PAGES	4000	/* of the random tests */

#define HEAD	"{'kind':'PodList','apiVersion':'v1','metadata':{'resourceVersion':'7'},'items':["
#define TAIL	"]}"
#define POD(...)	"{'kind':'Pod','apiVersion':'v1'," __VA_ARGS__ "}"
#define META	"'metadata':{'name':'a','namespace':'x'}"
#define OTHER	"{'metadata':{'name':'other'}}"

/* What becomes of an object. */
enum how {
	PLAIN,		/* a pod, of what simdjson found */
	ODD,		/* a pod, after json-c was asked */
	REFUSED,	/* its name, and a fault */
	UNNAMED,	/* a fault */
	NO_PAGE,	/* -EBADMSG: it is no JSON */
};

static struct knp_pod_json *parser;

/* With the quotes that JSON has. */
static char *join(const char *a, const char *b, const char *c)
{
	char *text;

	assert_true(asprintf(&text, "%s%s%s", a, b, c) >= 0);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

static bool walked_plain(const char *event)
{
	struct knp_pod_walker *w = knp_pod_walker_new();
	size_t len = strlen(event);
	char *buf = calloc(1, len + KNP_WALK_PADDING);
	struct knp_pod_item *item;
	struct knp_text type;
	bool plain;

	assert_non_null(w);
	assert_non_null(buf);
	memcpy(buf, event, len);
	plain = !knp_pod_walk_event(w, buf, len, &type, &item) && item->plain;
	free(buf);
	knp_pod_walker_free(w);
	return plain;
}

static enum how how_is(const struct outcome *o, bool plain)
{
	if (o->err)
		return NO_PAGE;
	if (o->objects.n == 1)
		return UNNAMED;
	if (o->objects.v[0].refused)
		return REFUSED;
	return plain ? PLAIN : ODD;
}

/* That an object gets what it deserves, and its neighbour is not harmed. */
static void expect(enum how how, const char *object)
{
	char *page = join(HEAD, object, "," OTHER TAIL);
	char *event = join("{'type':'ADDED','object':", object, "}");
	const char *what = pages_differ(parser, page, strlen(page));
	struct outcome o;
	enum how is;

	if (what)
		fail_msg("%s: %s differ in a page", object, what);
	what = events_differ(parser, event, strlen(event));
	if (what)
		fail_msg("%s: %s differ in an event", object, what);
	fast_page(parser, page, strlen(page), &o);
	is = how_is(&o, walked_plain(event));
	if (is != how)
		fail_msg("%s: is %d, not %d", object, is, how);
	if (!o.err)
		assert_string_equal(o.objects.v[o.objects.n - 1].name, "other");
	outcome_clear(&o);
	free(page);
	free(event);
}

/* As expect(), of an object that has these fields beside its type. */
static void expect_pod(enum how how, const char *fields)
{
	char *object = join("{'kind':'Pod','apiVersion':'v1',", fields, "}");

	expect(how, object);
	free(object);
}

static void test_a_whole_pod_is_read(void **state)
{
	static const char text[] =
		"{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','namespace':'x','uid':'u','labels':{'b':'2','a':''},'creationTimestamp':'2026-01-02T03:04:05Z','resourceVersion':'12'},"
		"'spec':{'initContainers':[{'ports':[{'containerPort':1,'name':'i'}],'restartPolicy':'Always'},{'ports':[{'containerPort':2}]}],"
		"'containers':[{'ports':[{'containerPort':53,'protocol':'UDP','name':'dns'},{'containerPort':65535,'protocol':'SCTP'}]}],'nodeName':'n','hostNetwork':true},"
		"'status':{'phase':'Failed','podIP':'10.0.0.1','podIPs':["
		"{'ip':'10.0.0.1'},{'ip':'fd00::1'},{'ip':'10.0.0.1'}]}}";
	struct knp_label_view labels[] = {
		{ { "a", 1 }, { "", 0 } }, { { "b", 1 }, { "2", 1 } },
	};
	struct knp_port_view ports[] = {
		{ { "dns", 3 }, 53, IPPROTO_UDP },
		{ { "", 0 }, 65535, IPPROTO_SCTP },
		{ { "i", 1 }, 1, IPPROTO_TCP },
	};
	struct knp_ip ips[2];
	struct knp_pod_view view = {
		.ns = { "x", 1 }, .name = { "a", 1 }, .uid = { "u", 1 },
		.node = { "n", 1 }, .labels = labels, .nlabels = 2,
		.ips = ips, .nips = 2, .ports = ports, .nports = 3,
		.created = 1767323045, .host_network = true, .terminal = true,
	};
	char *event = join("{'type':'MODIFIED','object':", text, "}\n");
	struct outcome wanted = {
		.type = KNP_EVENT_MODIFIED, .version = "12",
	};
	struct knp_object object = {
		.kind = KNP_KIND_POD, .ns = strdup("x"), .name = strdup("a"),
	};
	struct outcome is;
	const char *what;

	(void)state;
	expect(PLAIN, text);
	assert_int_equal(knp_ip_parse("10.0.0.1", &ips[0]), 0);
	assert_int_equal(knp_ip_parse("fd00::1", &ips[1]), 0);
	object.pod = knp_pod_new(&view);
	assert_non_null(object.pod);
	assert_int_equal(knp_objects_add(&wanted.objects, &object), 0);
	fast_event(parser, event, strlen(event), &is);
	what = outcomes_differ(&is, &wanted);
	if (what)
		fail_msg("%s", what);
	outcome_clear(&is);
	outcome_clear(&wanted);
	free(event);
}

static void test_absent_and_null_are_the_same(void **state)
{
	(void)state;
	expect_pod(PLAIN, META);
	expect_pod(PLAIN, META ",'spec':null,'status':null");
	expect_pod(PLAIN, META ",'spec':{},'status':{}");
	expect_pod(PLAIN, "'metadata':{'name':'a','namespace':null,'labels':null,'uid':null,'creationTimestamp':null}");
	expect_pod(PLAIN, "'metadata':{'name':'a','namespace':'','labels':{}}");
	expect_pod(PLAIN, META ",'spec':{'nodeName':null,'hostNetwork':null,'containers':null,'initContainers':null}");
	expect_pod(PLAIN, META ",'spec':{'containers':[{'ports':null}]}");
	expect_pod(PLAIN, META ",'spec':{'containers':[{'ports':[{'containerPort':80,'name':null,'protocol':null}]}]}");
	expect_pod(PLAIN, META ",'status':{'podIP':null,'podIPs':null,'phase':null}");
	expect_pod(UNNAMED, "'metadata':null");
	expect_pod(UNNAMED, "'metadata':{'name':null}");
	/* Elements of lists and values of maps cannot be absent. */
	expect_pod(REFUSED, "'metadata':{'name':'a','labels':{'a':null}}");
	expect_pod(REFUSED, META ",'spec':{'containers':[null]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[null]}]}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[null]}");
	expect(UNNAMED, "null");
}

static void test_needed_fields_of_another_type_refuse(void **state)
{
	(void)state;
	expect_pod(UNNAMED, "'metadata':[]");
	expect_pod(UNNAMED, "'metadata':{'name':1}");
	expect_pod(UNNAMED, "'metadata':{'name':'a','namespace':{}}");
	expect_pod(REFUSED, "'metadata':{'name':'a','uid':1}");
	expect_pod(REFUSED, "'metadata':{'name':'a','labels':[]}");
	expect_pod(REFUSED, "'metadata':{'name':'a','labels':{'a':true}}");
	expect_pod(REFUSED, "'metadata':{'name':'a','creationTimestamp':1}");
	expect_pod(REFUSED, META ",'spec':[]");
	expect_pod(REFUSED, META ",'spec':{'nodeName':{}}");
	expect_pod(REFUSED, META ",'spec':{'hostNetwork':'true'}");
	expect_pod(REFUSED, META ",'spec':{'containers':{}}");
	expect_pod(REFUSED, META ",'spec':{'initContainers':[{'restartPolicy':1}]}");
	expect_pod(REFUSED, META ",'status':''");
	expect_pod(REFUSED, META ",'status':{'phase':[]}");
	expect_pod(REFUSED, META ",'status':{'podIP':1}");
	expect_pod(REFUSED, META ",'status':{'podIPs':'10.0.0.1'}");
	expect_pod(UNNAMED, "'kind':1," META);
	expect(UNNAMED, "[]");
	expect(UNNAMED, "5");
	expect(UNNAMED, "'a'");
}

static void test_what_is_not_needed_may_have_any_type(void **state)
{
	(void)state;
	expect_pod(PLAIN, META ",'x':[1,-2.5e3,true,null,{'a':'\\u003c\\']}'}],'spec':{'containers':[{'name':5,'restartPolicy':5}]}");
	/* podIP is read only where podIPs has none. */
	expect_pod(ODD, META ",'status':{'podIP':1,'podIPs':[{'ip':'10.0.0.1'}]}");
	expect_pod(ODD, META ",'spec':{'initContainers':[{'ports':5}]}");
	expect_pod(ODD, "'metadata':{'name':'a','resourceVersion':5}");
}

static void test_ports(void **state)
{
	(void)state;
	expect_pod(PLAIN, META ",'spec':{'initContainers':[{'restartPolicy':'Always','ports':[{'containerPort':80}]}],'containers':[{'ports':[{'containerPort':80}]}]}");
	expect_pod(PLAIN, META ",'spec':{'initContainers':[{'restartPolicy':'Never','ports':[{'containerPort':80}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':0}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':65536}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':-1}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':80.0}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':'80'}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':9223372036854775808}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':18446744073709551616}]}]}");
	expect_pod(REFUSED, META ",'spec':{'containers':[{'ports':[{'containerPort':80,'protocol':'tcp'}]}]}");
	expect_pod(PLAIN, META ",'x':[9223372036854775807,9223372036854775808,-9223372036854775809,1e400]");
}

static void test_addresses(void **state)
{
	(void)state;
	expect_pod(PLAIN, META ",'status':{'podIP':'10.0.0.1'}");
	expect_pod(PLAIN, META ",'status':{'podIP':'','podIPs':[]}");
	expect_pod(PLAIN, META ",'status':{'podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.2'},{'ip':'fd00::2','x':1}]}");
	expect_pod(REFUSED, META ",'status':{'podIP':'10.0.0'}");
	expect_pod(REFUSED, META ",'status':{'podIP':'::ffff:10.0.0.1'}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[{'ip':'::ffff:10.0.0.1'}]}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[{}]}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[{'ip':''}]}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[{'ip':'10.0.0.1/32'}]}");
	expect_pod(REFUSED, META ",'status':{'podIPs':[{'ip':'1111:2222:3333:4444:5555:6666:7777:8888:9999:0000'}]}");
}

static void test_names_and_kinds(void **state)
{
	(void)state;
	expect_pod(UNNAMED, "'metadata':{'name':'A'}");
	expect_pod(UNNAMED, "'metadata':{'name':''}");
	expect_pod(UNNAMED, "'metadata':{'name':'a/b'}");
	expect_pod(UNNAMED, "'metadata':{'name':'a','namespace':'-x'}");
	expect(UNNAMED, "{'kind':'Namespace'," META "}");
	expect(UNNAMED, "{'apiVersion':'v2'," META "}");
	expect(UNNAMED, "{'kind':''," META "}");
	expect(UNNAMED, "{'kind':'PodList','items':[]}");
	expect(UNNAMED, "{}");
}

static void test_times(void **state)
{
	static const char *const times[] = {
		"1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
		"2000-02-29T12:00:00Z", "2100-02-28T12:00:00Z",
		"2100-03-01T12:00:00Z", "2023-02-31T12:00:00Z",
		"0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z", "2026-01-02T03:04:60Z",
		"2026-01-02T24:00:00Z", "2026-13-02T03:04:05Z",
		"2026-00-02T03:04:05Z", "2026-01-00T03:04:05Z",
		"2026-01-32T03:04:05Z", "2026-1-2T3:4:5Z", "Z",
		"2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05+01:00",
		"2026-01-02t03:04:05Z", "2026-01-02T03:04:05Z ", "",
		" 026-01-02T03:04:05Z", "2026-01-02T03:04:05z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char *text = join("'metadata':{'name':'a','creationTimestamp':'",
				  times[i], "'}");

		expect_pod(PLAIN, text);
		free(text);
	}
}

static void test_a_field_given_twice_is_left_to_json_c(void **state)
{
	(void)state;
	expect_pod(ODD, META "," META);
	expect_pod(ODD, "'metadata':{'name':'b','name':'a'}");
	expect_pod(ODD, "'metadata':{'name':'a','labels':{'a':'1','a':'2'}}");
	expect_pod(ODD, META ",'status':{'podIP':'10.0.0.1','podIP':'10.0.0.2'}");
	expect_pod(ODD, META ",'spec':{'containers':[{'ports':[{'containerPort':80}],'ports':null}]}");
	expect_pod(ODD, META ",'spec':{'nodeName':'a','nodeName':'b'}");
	expect_pod(REFUSED, META ",'spec':{'nodeName':'a','nodeName':1}");
	expect_pod(PLAIN, META ",'x':1,'x':2");
}

static void test_escapes(void **state)
{
	(void)state;
	expect_pod(ODD, "'metadata':{'name':'\\u0061'}");
	expect_pod(ODD, "'met\\u0061data':{'name':'a'}");
	expect_pod(ODD, "'metadata':{'name':'b','n\\u0061me':'a'}");
	expect_pod(ODD, "'metadata':{'name':'a','labels':{'\\u00e9':'\\ud83d\\ude00'}}");
	expect_pod(ODD, "'metadata':{'name':'a','labels':{'a\\/b':'1','a/b':'2'}}");
	expect_pod(PLAIN, "'metadata':{'name':'a','labels':{'\xc3\xa9':'\xf0\x9f\x98\x80'}}");
	expect_pod(ODD, "'metadata':{'name':'a','uid':'\\ud800'}");
	expect_pod(ODD, "'metadata':{'name':'a','uid':'\\udc00'}");
	expect_pod(PLAIN, META ",'x':'\\ud800 \\udc00 \\u0000 \\\\u'");
	expect_pod(ODD, "'metadata':{'name':'a','name\\u0000x':'c'}");
	expect_pod(REFUSED, "'metadata':{'name':'a','uid':'a\\u0000b'}");
	expect_pod(UNNAMED, "'metadata':{'name':'a\\u0000b'}");
	expect_pod(NO_PAGE, META ",'x':'\\q'");
	expect_pod(NO_PAGE, META ",'x':'\\u12g4'");
	expect_pod(NO_PAGE, META ",'x':'\\U0041'");
}

static void test_broken_utf8_harms_no_neighbour(void **state)
{
	(void)state;
	expect_pod(UNNAMED, "'metadata':{'name':'a\xff'}");
	expect_pod(ODD, META ",'x':'\xc3'");
	expect_pod(ODD, META ",'x':'\xed\xa0\x80'");
	expect_pod(ODD, "'metadata':{'name':'a','labels':{'a':'\xfe'}}");
}

static void test_what_is_no_json_is_found_where_nothing_is_needed(void **state)
{
	static const char *const values[] = {
		"tru", "nully", "01", ".5", "1e", "+1", "-", "0x1",
		"[1,]", "[,1]", "{'a':1,}", "{'a'}", "{'a':1:2}",
		"{'a':'b':'c'}", "[1}", "{'a':[}]", "{1:2}", "[1 2]",
		"'a''b'", "'a'b", "}", "]", "", "{a:1}", "['a':1]",
		"null\x16", "1\f", "\x01",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char *text = join(META ",'x':", values[i], "");

		expect_pod(NO_PAGE, text);
		free(text);
	}
}

static void test_depth(void **state)
{
	static const struct {
		unsigned int depth;
		enum how how;
	} cases[] = {
		{ 33, PLAIN }, { 44, PLAIN }, { 45, PLAIN }, { 50, ODD },
		{ 59, ODD }, { 65, ODD }, { 5000, ODD }, { 10001, NO_PAGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int depth = cases[i].depth;
		char *nested = calloc(1, 2 * depth + 1);
		char *text;

		assert_non_null(nested);
		memset(nested, '[', depth);
		memset(nested + depth, ']', depth);
		text = join(META ",'x':", nested, "");
		expect_pod(cases[i].how, text);
		free(nested);
		free(text);
	}
}

static void test_a_string_of_16_mib(void **state)
{
	size_t len = 16 << 20;
	char *string = malloc(len + 1);
	char *text;

	(void)state;
	assert_non_null(string);
	memset(string, 'x', len);
	string[len] = '\0';
	text = join(META ",'x':'", string, "'");
	expect_pod(PLAIN, text);
	free(text);
	text = join("'metadata':{'name':'a','uid':'", string, "'}");
	expect_pod(PLAIN, text);
	free(text);
	text = join("'metadata':{'name':'", string, "'}");
	expect_pod(UNNAMED, text);
	free(text);
	free(string);
}

static void test_more_than_there_is_room_for_is_left_to_json_c(void **state)
{
	static const struct {
		const char *head;
		const char *before;	/* each number */
		const char *after;
		const char *tail;
		unsigned int room;
	} cases[] = {
		{ "'metadata':{'name':'a','labels':{", "'k",
		  "':''", "}}", KNP_WALK_LABELS },
		{ META ",'spec':{'containers':[{'ports':[",
		  "{'containerPort':", "}", "]}]}", KNP_WALK_PORTS },
		{ META ",'spec':{'initContainers':[{'restartPolicy':'Always','ports':[",
		  "{'containerPort':", "}", "]}]}", KNP_WALK_PORTS },
		{ META ",'status':{'podIPs':[", "{'ip':'10.0.0.", "'}",
		  "]}", KNP_WALK_IPS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned int more = 0; more < 2; more++) {
			size_t len;
			char *text;
			FILE *out = open_memstream(&text, &len);

			assert_non_null(out);
			fputs(cases[i].head, out);
			for (unsigned int n = 1; n <= cases[i].room + more; n++) {
				fprintf(out, "%s%s%u%s", n > 1 ? "," : "",
					cases[i].before, n, cases[i].after);
			}
			fputs(cases[i].tail, out);
			fclose(out);
			expect_pod(more ? ODD : PLAIN, text);
			free(text);
		}
	}
}

/* ---- pages and events ---------------------------------------------------- */

static void expect_page(int err, size_t n, const char *version,
			const char *next, const char *quoted)
{
	char *text = join("", quoted, "");
	const char *what = pages_differ(parser, text, strlen(text));
	struct outcome o;

	if (what)
		fail_msg("%s: %s differ", text, what);
	fast_page(parser, text, strlen(text), &o);
	if (o.err != err || (!err && o.objects.n != n))
		fail_msg("%s: returns %d with %zu", text, o.err, o.objects.n);
	if (!err) {
		assert_string_equal(o.version, version);
		assert_string_equal(o.next ? o.next : "none", next);
	}
	outcome_clear(&o);
	free(text);
}

#define LIST	"'kind':'PodList','apiVersion':'v1'"

static void test_pages(void **state)
{
	(void)state;
	expect_page(0, 0, "7", "none", HEAD TAIL);
	expect_page(0, 0, "", "none", "{" LIST ",'items':null} \r\n\t");
	expect_page(0, 0, "9", "abc",
		    "{'items':[],'metadata':{'continue':'abc','remainingItemCount':3,'resourceVersion':'9'},"
		    LIST "}");
	expect_page(0, 0, "", "none", "{" LIST ",'metadata':{'continue':''},'items':[]}");
	expect_page(0, 2, "", "a\xc3\xa9",
		    "{" LIST ",'metadata':{'continue':'\\u0061\\u00e9'},"
		    "'items':[" OTHER "," OTHER "]}");
	expect_page(0, 1, "8", "none",
		    "{" LIST ",'metadata':{'resourceVersion':'7'},"
		    "'items':[" OTHER "," OTHER "],'items':[" OTHER "],"
		    "'metadata':{'resourceVersion':'8'}}");
}

static void test_what_is_no_page(void **state)
{
	static const char *const texts[] = {
		"", " ", "null", "[]", "{}", "'PodList'", "<html></html>",
		"\xef\xbb\xbf" HEAD TAIL, HEAD TAIL HEAD TAIL, HEAD TAIL "x",
		HEAD TAIL "}", "{" LIST "}", "{" LIST ",'items':{}}",
		"{" LIST ",'items':[],'metadata':[]}",
		"{" LIST ",'items':[],'metadata':{'resourceVersion':5}}",
		"{" LIST ",'items':[],'metadata':{'continue':5}}",
		"{" LIST ",'items':[],'metadata':{'continue':'\\u0000'}}",
		"{" LIST ",'items':[],'metadata':{'resourceVersion':'0123456789012345678901234567890123456789012345678901234567890123'}}",
		"{'kind':'PodList','items':[]}",
		"{'kind':'PodList','apiVersion':'v2','items':[]}",
		"{'kind':'Table','apiVersion':'v1','items':[]}",
		"{'kind':'List','apiVersion':'v1','items':[]}",
		"{'kind':'Status','apiVersion':'v1','code':410}",
	};
	struct outcome o;
	char *text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		expect_page(-EBADMSG, 0, "", "none", texts[i]);
	/* A NUL is no white space. */
	text = join(HEAD TAIL, "", "");
	len = strlen(text) + 1;
	assert_null(pages_differ(parser, text, len));
	fast_page(parser, text, len, &o);
	assert_int_equal(o.err, -EBADMSG);
	outcome_clear(&o);
	free(text);
}

static int take_two(void *arg, struct knp_object *object)
{
	int *n = arg;

	knp_object_clear(object);
	return ++*n == 2 ? -EPIPE : 0;
}

static void test_a_page_ends_with_what_its_taker_returns(void **state)
{
	char *text = join(HEAD OTHER "," OTHER, "," OTHER, TAIL);
	char buf[1024] = { 0 };
	struct knp_page page = { .version = "before" };
	int n = 0;

	(void)state;
	assert_true(strlen(text) + KNP_JSON_PADDING <= sizeof(buf));
	strcpy(buf, text);
	assert_int_equal(knp_pod_json_page(parser, buf, strlen(text), take_two,
					   &n, &page, NULL), -EPIPE);
	assert_int_equal(n, 2);
	assert_string_equal(page.version, "before");
	assert_null(page.next);
	free(text);
}

static void test_events_that_are_left_to_others(void **state)
{
	static const char *const texts[] = {
		"", "{}", "[]", "null",
		"{'type':'BOOKMARK','object':{'kind':'Pod','apiVersion':'v1','metadata':{'resourceVersion':'9'}}}",
		"{'type':'ERROR','object':{'kind':'Status','apiVersion':'v1','code':410}}",
		"{'type':'NEWER','object':" POD(META) "}",
		"{'type':null,'object':" POD(META) "}",
		"{'type':'ADDED','type':'DELETED','object':" POD(META) "}",
		"{'object':" POD(META) "}", "{'type':'ADDED'}",
		"{'type':'ADDED','object':null}",
		"{'type':'ADDED','object':{" META "}}",
		"{'type':'ADDED','object':{'kind':'Namespace','apiVersion':'v1'," META "}}",
		"{'type':'ADDED','object':" POD("'metadata':{}") "}",
		"{'type':'ADDED','object':{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','resourceVersion':9}}}",
		"{'type':'ADDED','object':" POD(META) "}{}",
		"\xef\xbb\xbf{'type':'ADDED','object':" POD(META) "}",
		"{'type':'ADDED','object':{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','uid':'\xff'}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *text = join("", texts[i], "");
		struct outcome o;

		assert_null(events_differ(parser, text, strlen(text)));
		fast_event(parser, text, strlen(text), &o);
		if (o.err != 1)
			fail_msg("%s: returns %d", text, o.err);
		outcome_clear(&o);
		free(text);
	}
}

/* ---- generated ----------------------------------------------------------- */

static size_t generate(char *buf, size_t room, size_t size, bool typed)
{
	static const struct gen_label labels[] = {
		{ "app", "web" }, { "pod-template-hash", "3f2a6eb108" },
	};
	struct gen_pod pod = {
		.seed = 1, .size = size, .typed = typed, .name = "web-1",
		.ns = "shop", .version = "4711", .labels = labels,
		.nlabels = 2, .node = "n1", .ip = "10.0.0.1", .ip6 = "fd00::1",
	};
	size_t len = gen_pod_write(&pod, buf, room);

	assert_true(len < room);
	buf[len] = '\0';
	return len;
}

static void test_pods_of_a_cluster_are_plain(void **state)
{
	static const size_t sizes[] = { 2048, 5120, 20480 };
	char buf[32768];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		generate(buf, sizeof(buf), sizes[i], true);
		expect(PLAIN, buf);
	}
}

static void test_a_page_that_was_cut_is_none(void **state)
{
	char pod[8192];
	char *page;
	size_t len;

	(void)state;
	generate(pod, sizeof(pod), 2048, false);
	page = join(HEAD OTHER ",", pod, TAIL);
	len = strlen(page);
	assert_null(pages_differ(parser, page, len));
	for (size_t n = 0; n < len; n++) {
		struct outcome o;

		fast_page(parser, page, n, &o);
		if (o.err != -EBADMSG || o.objects.n)
			fail_msg("cut at %zu: returns %d", n, o.err);
		outcome_clear(&o);
	}
	free(page);
}

static void test_an_event_that_was_cut_is_none(void **state)
{
	char pod[8192];
	char *event;
	size_t len;

	(void)state;
	generate(pod, sizeof(pod), 5120, true);
	event = join("{'type':'DELETED','object':", pod, "}");
	len = strlen(event);
	assert_null(events_differ(parser, event, len));
	for (size_t n = 0; n < len; n++) {
		struct outcome o;

		fast_event(parser, event, n, &o);
		if (o.err != 1 || o.objects.n)
			fail_msg("cut at %zu: returns %d", n, o.err);
		outcome_clear(&o);
	}
	free(event);
}

/* What is random keeps its single quotes: JSON they are not. */
static void check_random(struct dice *d, unsigned int oddity, bool damage)
{
	char *page = join(HEAD, "", "");
	char *event = join("{'type':'MODIFIED','object':", "", "");
	char *pods[3];
	const char *what;
	char *text;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		pods[i] = random_pod(d, oddity);
	assert_true(asprintf(&text, "%s%s,%s,%s" TAIL, page, pods[0], pods[1],
			     pods[2]) >= 0);
	len = strlen(text);
	if (damage)
		random_damage(d, text, &len);
	what = pages_differ(parser, text, len);
	if (what)
		fail_msg("%s differ: %.*s", what, (int)len, text);
	free(text);
	assert_true(asprintf(&text, "%s%s}", event, pods[0]) >= 0);
	len = strlen(text);
	if (damage)
		random_damage(d, text, &len);
	what = events_differ(parser, text, len);
	if (what)
		fail_msg("%s differ: %.*s", what, (int)len, text);
	free(text);
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		free(pods[i]);
	free(page);
	free(event);
}

static void test_random_pods_are_what_json_c_makes_of_them(void **state)
{
	struct dice d;

	(void)state;
	dice_init(&d);
	for (unsigned int i = 0; i < PAGES; i++)
		check_random(&d, i % 2 ? 60 : 600, false);
}

static void test_random_damage_is_what_json_c_makes_of_it(void **state)
{
	struct dice d;

	(void)state;
	dice_init(&d);
	for (unsigned int i = 0; i < PAGES; i++)
		check_random(&d, i % 2 ? 60 : 600, true);
}

static int setup(void **state)
{
	(void)state;
	parser = knp_pod_json_new();
	return parser ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	knp_pod_json_free(parser);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_pod_is_read),
		cmocka_unit_test(test_absent_and_null_are_the_same),
		cmocka_unit_test(test_needed_fields_of_another_type_refuse),
		cmocka_unit_test(test_what_is_not_needed_may_have_any_type),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names_and_kinds),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_a_field_given_twice_is_left_to_json_c),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_broken_utf8_harms_no_neighbour),
		cmocka_unit_test(test_what_is_no_json_is_found_where_nothing_is_needed),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_a_string_of_16_mib),
		cmocka_unit_test(test_more_than_there_is_room_for_is_left_to_json_c),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_what_is_no_page),
		cmocka_unit_test(test_a_page_ends_with_what_its_taker_returns),
		cmocka_unit_test(test_events_that_are_left_to_others),
		cmocka_unit_test(test_pods_of_a_cluster_are_plain),
		cmocka_unit_test(test_a_page_that_was_cut_is_none),
		cmocka_unit_test(test_an_event_that_was_cut_is_none),
		cmocka_unit_test(test_random_pods_are_what_json_c_makes_of_them),
		cmocka_unit_test(test_random_damage_is_what_json_c_makes_of_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
